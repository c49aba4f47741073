//! What a wrong pipeline file is told: every error at once, with place, caret and help.

use crate::{
    keys::parse_with,
    tiny,
    workspace::{PIPELINE, Workspace},
};
use takd::dataset::{DataInfo, Format};

/// Errors of a file as text. A data set whose path is `ten` has ten classes, `none` is not there.
pub fn errors(text: &str) -> String {
    let probe = |format: &Format| match format.path() {
        Some(path) if path.ends_with("ten") => Ok(DataInfo { classes: 10, ..tiny::info() }),
        Some(path) if path.ends_with("none") => Err("cannot read none: no such file".to_owned()),
        _ => Ok(tiny::info()),
    };
    match parse_with(text, &probe) {
        Ok(_) => panic!("no error in:\n{text}"),
        Err(diagnostics) => diagnostics.render(false),
    }
}

/// Everything that the nodes below need.
const BASE: &str = r#"[data.d]
format = "idx"
path = "bars"
[recipe.r]
epochs = 1
batch_size = 8
optimizer = { sgd = { lr = 0.1 } }
[net.small]
layers = ["conv2", "maxpool", "fc3"]
[train.teacher]
net = "small"
data = "d"
recipe = "r"
"#;

pub fn with(more: &str) -> String {
    errors(&format!("{BASE}{more}"))
}

#[test]
fn broken_toml() {
    insta::assert_snapshot!(errors("name = \n[data.d\nformat = \"idx\"\n= 3\n"));
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(errors(""));
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(with(
        r#"
sees = [1]
[distill.a]
net = "small"
techer = "teacher"
objective = { kd = { temperature = 5, lamda = 0.5 } }
[train.b]
net = "small"
data = "d"
recipe = "r"
colour = "red"
[recipe.s]
epochs = 1
batch_size = 8
optimizer = { sdg = { lr = 0.1 } }
"#
    ));
}

#[test]
fn unknown_names() {
    insta::assert_snapshot!(with(
        r#"
[train.a]
net = "smal"
data = "e"
recipe = "rr"
[distill.b]
net = "plain12"
teacher = "techer"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[eval.test]
of = ["a", "c", "x/*"]
[table.t]
eval = "tset"
rows = ["teacher"]
[table.u]
rows = ["teacher"]
"#
    ));
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(errors(
        r#"name = 5
seeds = "all"
net = 3
[data.d]
format = ["idx"]
[recipe.r]
epochs = "ten"
batch_size = 8.5
optimizer = "sgd"
schedule = { step = { milestones = 3 } }
[recipe.s]
epochs = 1
batch_size = 1
optimizer = { sgd = { lr = 0.1, nesterov = "yes" }, adam = { lr = 1 } }
[net.n]
layers = ["conv16", 7]
[train.a]
net = { layers = [] }
data = "d"
recipe = "r"
[eval.e]
of = "a"
split = "tset"
"#
    ));
}

#[test]
fn values_out_of_range() {
    insta::assert_snapshot!(errors(
        r#"seeds = [1, -1, 1]
[data.d]
format = "idx"
path = "bars"
validation = 72
[data.e]
format = "idx"
path = "none"
mean = [0.5]
[recipe.r]
epochs = 0
batch_size = 0
optimizer = { sgd = { lr = 0, momentum = 1.0, weight_decay = -1 } }
[recipe.s]
epochs = 1
batch_size = 1
optimizer = { adam = { lr = nan, betas = [0.9] } }
[train.teacher]
net = "plain2"
data = "d"
recipe = "r"
[distill.a]
net = "plain2"
teacher = "teacher"
objective = { kd = { temperature = 0, lambda = 1.5 } }
[distill.b]
net = "plain2"
teacher = "teacher"
objective = { kd = { temperature = -2, lambda = -0.1 } }
"#
    ));
}

#[test]
fn networks_that_do_not_fit() {
    insta::assert_snapshot!(with(
        r#"
[net.shrinks]
layers = ["maxpool", "maxpool", "maxpool", "maxpool", "fc3"]
[net.late]
layers = ["fc3", "conv4", "fc3"]
[net.classes]
layers = ["conv4", "fc10"]
[net.empty]
layers = []
[net.words]
layers = ["conv", "pool", "fc0"]
[net.narrow]
layers = ["stem16", "padbasic8", "avgpool", "fc3"]
[net.stems]
layers = ["stem16", "stem16", "avgpool", "fc3"]
[net.unlike]
like = "resnet21"
shortcut = "pat"
[net.both]
like = "resnet20"
layers = ["fc3"]
[net.short]
layers = ["fc3"]
shortcut = "pad"
[net.nothing]
[train.a]
net = "shrinks"
data = "d"
recipe = "r"
[train.b]
net = "late"
data = "d"
recipe = "r"
[train.c]
net = "classes"
data = "d"
recipe = "r"
[train.d]
net = "empty"
data = "d"
recipe = "r"
[train.narrow]
net = "narrow"
data = "d"
recipe = "r"
[train.stems]
net = "stems"
data = "d"
recipe = "r"
[train.unlike]
net = "unlike"
data = "d"
recipe = "r"
[train.e]
net = "plain8"
data = "d"
recipe = "r"
"#
    ));
}

#[test]
fn cycles_do_not_hide_other_errors() {
    insta::assert_snapshot!(with(
        r#"
[distill.a]
net = "small"
teacher = "c"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[distill.b]
net = "smalll"
teacher = "a"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[distill.c]
net = "small"
teacher = "b"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[distill.narcissus]
net = "small"
teacher = "narcissus"
objective = { kd = { temperature = 5, lambda = 0.5 } }
"#
    ));
}

#[test]
fn duplicate_names_across_kinds() {
    insta::assert_snapshot!(with(
        r#"
[distill.teacher]
net = "small"
teacher = "teacher"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[eval.teacher]
of = ["teacher"]
[chain.teacher]
nets = ["small", "small"]
from = "teacher"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[train."a b"]
net = "small"
data = "d"
recipe = "r"
"#
    ));
}

#[test]
fn teachers_of_other_data() {
    insta::assert_snapshot!(with(
        r#"
[data.ten]
format = "idx"
path = "ten"
[data.held]
format = "idx"
path = "bars"
validation = 6
[distill.a]
net = "plain2"
data = "ten"
teacher = "teacher"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[distill.b]
net = "small"
data = "held"
teacher = "teacher"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[recipe.best]
epochs = 1
batch_size = 8
optimizer = { sgd = { lr = 0.1 } }
select = "best-validation"
[train.c]
net = "small"
data = "d"
recipe = "best"
[eval.v]
of = ["teacher"]
split = "validation"
"#
    ));
}

#[test]
fn matrices_and_chains() {
    insta::assert_snapshot!(with(
        r#"
[train.a]
matrix = {}
net = "small"
data = "d"
recipe = "r"
[train.b]
matrix = { size = [] }
net = "small"
data = "d"
recipe = "r"
[train."same"]
matrix = { size = ["small", "small"] }
net = "{size}"
data = "d"
recipe = "r"
[train."typo{sise}"]
matrix = { size = ["small"] }
net = "{size}"
data = "d"
recipe = "r"
[chain.short]
nets = ["small"]
from = "teacher"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[chain.wrong]
nets = ["plain8", "plain2", "small"]
from = "teacher"
paths = [["plain8", "small", "plain2"], ["plain8", "plain4"], "all"]
objective = { kd = { temperature = 5, lambda = 0.5 } }
"#
    ));
}

#[test]
fn a_broken_node_is_not_also_unknown() {
    let text = with(
        r#"
[distill.a]
net = "small"
teacher = "teacher"
[distill.b]
net = "small"
teacher = "a"
objective = { kd = { temperature = 5, lambda = 0.5 } }
[eval.test]
of = ["a", "b"]
"#,
    );
    assert!(text.ends_with("1 error in tiny.toml"), "{text}");
}

#[test]
fn set_is_checked_like_the_file() {
    let workspace = Workspace::new();
    let check = |set: &str| {
        let output = workspace.takd(&["check", "tiny.toml", "--set", set]);
        assert_ne!(output.code, 0, "{set}");
        format!(
            "$ takd check tiny.toml --set '{set}'\n{}exit code {}\n",
            output.stderr, output.code
        )
    };
    let sets =
        ["recipe.short.epochs=0", "recipe.short.epoch=5", "train.nokd.net=smal", "a b=3", "x"];
    insta::assert_snapshot!(sets.map(check).join("\n"));
}

#[test]
fn files_that_are_no_pipelines() {
    let workspace = Workspace::new();
    workspace.write("bytes.toml", b"name = \"\xff\xfe\"");
    let output = workspace.takd(&["check", "bytes.toml"]);
    assert_eq!(output.code, 3);
    assert!(output.stderr.contains("not UTF-8 text: byte 8"), "{output:?}");
    let output = workspace.takd(&["run", "missing.toml"]);
    assert!(output.code == 3 && output.stderr.contains("missing.toml"), "{output:?}");
    workspace.write("data.toml", PIPELINE.replace("\"bars\"", "\"nowhere\""));
    let output = workspace.takd(&["run", "data.toml"]);
    assert!(output.code == 3 && output.stderr.contains("nowhere"), "{output:?}");
    assert!(!workspace.path("cache").exists(), "nothing is trained");
}
