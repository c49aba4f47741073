//! Accuracies of classes: they are those of the answers, and average to the accuracy.

use crate::{
    tiny,
    workspace::{PIPELINE, Workspace},
};
use serde_json::Value;
use std::collections::HashMap;

/// A network that has learned little, on 9, 8 and 8 images of the classes.
fn unequal(columns: &str) -> Workspace {
    let workspace = Workspace::new();
    tiny::write_many(&workspace.path("bars"), 72, 25);
    let text = PIPELINE.replace("lr = 0.05", "lr = 0.001");
    let table = format!("[table.classes]\ncolumns = {columns}\nrows = [\"teacher\", \"nokd\"]\n");
    workspace.write("tiny.toml", format!("{text}{table}"));
    workspace
}

/// Lines of a CSV report as fields by head.
fn lines(csv: &str) -> Vec<HashMap<String, String>> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned));
    let heads: Vec<String> = lines.next().unwrap().collect();
    lines.map(|fields| heads.iter().cloned().zip(fields).collect()).collect()
}

#[test]
fn accuracies_of_classes_average_to_the_accuracy() {
    let workspace = unequal("[\"top1\", \"per_class\", \"confusion\"]");
    let text = workspace.ok(&["run", "tiny.toml"]);
    for head in ["class 0 %", "class 1 %", "class 2 %", "most often mistaken"] {
        assert!(text.contains(head), "{text}");
    }
    let report = |format| workspace.ok(&["report", "tiny.toml", "--format", format]);
    let json: Value = serde_json::from_str(&report("json")).unwrap();
    let mut imperfect = 0;
    for line in lines(&report("csv")) {
        let number = |head: &str| line[head].parse::<f64>().unwrap();
        let by_class = [0, 1, 2].map(|class| number(&format!("class:class {class}")));
        let mean = (by_class[0] * 9.0 + by_class[1] * 8.0 + by_class[2] * 8.0) / 25.0;
        assert!((mean - number("top1")).abs() < 1e-12, "{line:?}");
        imperfect += usize::from(number("top1") < 1.0);
    }
    assert!(imperfect > 0, "nothing is shown by networks that know everything");
    let rows = json["tables"][0]["rows"].as_array().unwrap();
    for row in rows {
        let confusion = row["ours"]["answers"]["confusion"].as_array().unwrap();
        let pairs: Vec<[u64; 3]> =
            confusion.iter().map(|pair| [0, 1, 2].map(|at| pair[at].as_u64().unwrap())).collect();
        let of = |class| pairs.iter().filter(move |p| p[0] == class).map(|p| p[2]).sum::<u64>();
        assert_eq!([0, 1, 2].map(of), [18, 16, 16], "two seeds");
        let Some(most) = pairs.iter().filter(|p| p[0] != p[1]).map(|p| p[2]).max() else {
            continue;
        };
        let named = pairs.iter().find(|p| p[0] != p[1] && p[2] == most).unwrap();
        let share = most as f64 / of(named[0]) as f64 * 100.0;
        let told = format!("class {} as class {}, {share:.1} %", named[0], named[1]);
        assert!(text.contains(&told), "{told}: {text}");
    }
}

#[test]
fn a_class_is_asked_for_by_number_or_name() {
    let workspace = unequal("[\"class:2\", \"top1\"]");
    let head = workspace.ok(&["report", "tiny.toml"]).lines().nth(1).unwrap().to_owned();
    assert!(head.contains("class 2 %") && !head.contains("class 1 %"), "{head}");
    for (columns, told) in [
        ("[\"class:3\"]", "there is no class `3`"),
        ("[\"class:cat\"]", "the data names none; they are 0 to 2"),
        ("[\"class:1\", \"class:1\"]", "`class:1` stands there twice"),
        ("[\"class\"]", "unknown word `class`"),
    ] {
        let refusal = unequal(columns).refusal();
        assert!(refusal.contains(told), "{refusal}");
    }
}

const FASHION: &str = r#"
[data.fashion]
format = "fashion-mini"
[recipe.short]
epochs     = 1
batch_size = 500
select     = "last"
optimizer  = { sgd = { lr = 0.05 } }
[net.little]
layers = ["conv1", "maxpool", "maxpool", "fc10"]
[train.alone]
net    = "little"
data   = "fashion"
recipe = "short"
[eval.test]
of = ["*"]
[table.shirts]
columns = ["class:Shirt", "class:9", "confusion"]
"#;

#[test]
fn classes_have_their_names_in_tables_and_on_the_page() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", FASHION.replace(":Shirt", ":Shrit"));
    let refusal = workspace.refusal();
    assert!(refusal.contains("no class `Shrit`") && refusal.contains("did you mean `Shirt`?"));
    workspace.write("tiny.toml", FASHION);
    let text = workspace.ok(&["run", "tiny.toml"]);
    let head = text.lines().nth(1).unwrap();
    assert!(head.contains("Shirt %  Ankle boot %  most often mistaken"), "{text}");
    let page = workspace.ok(&["report", "tiny.toml", "--format", "html"]);
    let (_, data) = page.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(
        (&data["classes"][0][6], data["classesOf"]["1"].as_u64()),
        (&"Shirt".into(), Some(0))
    );
    assert_eq!(data["nodes"][1]["name"], "test/alone");
}
