//! A change trains what depends on it, and nothing else.

use crate::workspace::{PIPELINE, Workspace};

/// A workspace in which everything has been trained.
fn trained() -> Workspace {
    let workspace = Workspace::new();
    assert_eq!(workspace.trained(&["tiny.toml"]).len(), 10, "five networks, two seeds");
    workspace
}

/// What trains after `from` became `to`.
fn after(from: &str, to: &str) -> Vec<String> {
    let workspace = trained();
    assert!(PIPELINE.contains(from), "{from}");
    workspace.write("changed.toml", PIPELINE.replace(from, to));
    workspace.trained(&["changed.toml"])
}

#[test]
fn the_same_again_runs_nothing() {
    let workspace = trained();
    let result = workspace.run(&["tiny.toml"]);
    assert_eq!((&result["trained"], &result["measured"]), (&0.into(), &0.into()));
    assert_eq!(result["reused"], 20);
}

#[test]
fn the_students_lambda_trains_the_distilled_students() {
    let again = after("temperature = 5.0, lambda = 0.5", "temperature = 5.0, lambda = 0.75");
    assert_eq!(again, ["blkd@20", "blkd@31", "takd@20", "takd@31"]);
}

#[test]
fn the_assistants_lambda_trains_it_and_its_student() {
    let again = after("lambda = 0.25", "lambda = 0.3");
    assert_eq!(again, ["assistant@20", "assistant@31", "takd@20", "takd@31"]);
}

#[test]
fn the_recipe_trains_everything() {
    assert_eq!(after("epochs     = 2", "epochs     = 3").len(), 10);
}

#[test]
fn names_order_comments_and_spelling_of_numbers_train_nothing() {
    let workspace = trained();
    let mut text = PIPELINE.to_owned();
    for (from, to) in [
        ("teacher]", "professor]"),
        ("\"teacher\"", "\"professor\""),
        ("[distill.assistant]", "[distill.helper]"),
        ("\"assistant\"", "\"helper\""),
        ("[net.small]", "# the smallest\n[net.mini]"),
        ("\"small\"", "\"mini\""),
        ("[recipe.short]", "[recipe.quick]"),
        ("\"short\"", "\"quick\""),
        ("[data.bars]", "[data.stripes]"),
        ("data   = \"bars\"", "data   = \"stripes\""),
        ("temperature = 5.0", "temperature = 5"),
        ("lambda = 0.25", "lambda = 2.5e-1"),
        ("epochs     = 2", "epochs     = 2.0"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let mut tables: Vec<&str> = text.split("\n\n").collect();
    tables[1..].reverse();
    workspace.write("renamed.toml", tables.join("\n\n"));
    assert_eq!(workspace.trained(&["renamed.toml"]), [""; 0]);
}

#[test]
fn one_more_assistant_trains_it_and_its_student() {
    let more = r#"
[distill.second]
net       = "middle"
teacher   = "assistant"
objective = { kd = { temperature = 4.0, lambda = 0.25 } }

[distill.pupil]
net       = "small"
teacher   = "second"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }
"#;
    let workspace = trained();
    workspace.write("more.toml", format!("{PIPELINE}{more}"));
    let again = workspace.trained(&["more.toml"]);
    assert_eq!(again, ["second@20", "second@31", "pupil@20", "pupil@31"]);
}

#[test]
fn one_more_seed_trains_that_seed() {
    let again = after("seeds = [20, 31]", "seeds = [20, 31, 55]");
    assert!(again.len() == 5 && again.iter().all(|task| task.ends_with("@55")), "{again:?}");
}

#[test]
fn another_file_with_the_same_teacher_reuses_it() {
    let other = r#"
seeds = [31]
data.d = { format = "idx", path = "bars", validation = 12 }
net.n = { layers = ["conv6", "maxpool", "fc8", "fc3"] }
net.m = { layers = ["conv3", "maxpool", "fc3"] }
train.old = { net = "n", data = "d", recipe = "r" }
distill.new = { net = "m", teacher = "old", objective = { kd = { temperature = 2, lambda = 1 } } }

[recipe.r]
epochs = 2
batch_size = 16
optimizer = { sgd = { nesterov = true, momentum = 0.9, lr = 0.05 } }
"#;
    let workspace = trained();
    workspace.write("other.toml", other);
    assert_eq!(workspace.trained(&["other.toml"]), ["new@31"]);
}

#[test]
fn a_moved_data_set_trains_nothing_and_a_changed_pixel_everything() {
    let workspace = trained();
    std::fs::rename(workspace.path("bars"), workspace.path("elsewhere")).unwrap();
    let moved = "data.bars.path=elsewhere";
    assert_eq!(workspace.trained(&["tiny.toml", "--set", moved]), [""; 0]);
    let file = workspace.path("elsewhere/train-images-idx3-ubyte");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(file, bytes).unwrap();
    assert_eq!(workspace.trained(&["tiny.toml", "--set", moved]).len(), 10);
}

#[test]
fn nodes_can_be_asked_for_by_name_glob_and_seed() {
    let workspace = Workspace::new();
    assert_eq!(workspace.trained(&["tiny.toml", "assistant@31"]), ["teacher@31", "assistant@31"]);
    assert_eq!(workspace.trained(&["tiny.toml", "n*"]), ["nokd@20", "nokd@31"]);
    assert_eq!(workspace.takd(&["run", "tiny.toml", "zebra"]).code, 2);
}

#[test]
fn a_forced_node_runs_again_with_the_same_bits() {
    let workspace = trained();
    let before = workspace.entry_files("cache");
    let again = workspace.trained(&["tiny.toml", "--force", "assistant"]);
    assert_eq!(again, ["assistant@20", "assistant@31"]);
    assert_eq!(before, workspace.entry_files("cache"));
}

#[test]
fn a_dry_run_writes_nothing() {
    let workspace = Workspace::new();
    let plan = workspace.ok(&["run", "tiny.toml", "--dry-run"]);
    assert!(plan.contains("\n20 to run, 0 to reuse\n"), "{plan}");
    assert!(!workspace.path("cache").exists());
}

#[test]
fn a_node_that_has_little_in_common_with_any_entry_is_new() {
    let workspace = trained();
    let plan = |more: &str| {
        workspace.write("more.toml", format!("{PIPELINE}{more}"));
        let plan = workspace.ok(&["plan", "more.toml", "other"]);
        let line = plan.lines().find(|line| line.contains("other@20")).unwrap().to_owned();
        line.split_whitespace().skip(4).collect::<Vec<_>>().join(" ")
    };
    let near = "[train.other]\nnet = \"small\"\ndata = \"bars\"\nrecipe = \"long\"\n\n[recipe.long]\n\
                epochs = 3\nbatch_size = 16\n\
                optimizer = { sgd = { lr = 0.05, momentum = 0.9, nesterov = true } }\n";
    assert_eq!(plan(near), "recipe.epochs: 2 → 3");
    let far = near.replace("batch_size = 16", "batch_size = 8\nschedule = { cosine = {} }");
    let far =
        far.replace("lr = 0.05, momentum = 0.9", "lr = 0.1, weight_decay = 1e-4, momentum = 0.8");
    assert_eq!(plan(&far), "new");
}
