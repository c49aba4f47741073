//! The paper's pipelines stand on a fresh clone, without data: they are checked, planned and drawn, and
//! only a run asks for what is not there.

use crate::workspace::Workspace;
use serde_json::Value;
use std::{fs, path::PathBuf};

fn pipelines() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn every_file_is_checked_planned_and_drawn_without_data() {
    let workspace = Workspace::new();
    let files = pipelines();
    assert!(files.len() >= 9);
    for file in files {
        let file = file.to_str().unwrap();
        for args in [
            &["check", file][..],
            &["plan", file],
            &["plan", file, "--json"],
            &["graph", file],
            &["why", file, "*"],
            &["run", file, "--dry-run"],
        ] {
            workspace.ok(args);
        }
    }
    assert!(!workspace.path("cache").exists() && !workspace.path("data").exists());
}

#[test]
fn the_multistep_plan_has_one_teacher_fifteen_distillations_and_four_scratch_trainings_a_seed() {
    let workspace = Workspace::new();
    let file = format!("{}/pipelines/multistep.toml", env!("CARGO_MANIFEST_DIR"));
    let text = workspace.ok(&["plan", &file]);
    for seed in [20, 31, 55] {
        let count = |kind: &str| {
            let lines = text.lines().filter(|line| line.contains(&format!("@{seed} ")));
            lines.filter(|line| line.starts_with(&format!("run    {kind}"))).count()
        };
        assert_eq!([count("train"), count("distill")], [1 + 4, 15], "{text}");
    }
    assert!(text.contains("cifar100: not fetched; planned without keys"), "{text}");
    assert!(text.contains("takd data fetch cifar100"), "{text}");
    let plan: Value = serde_json::from_str(&workspace.ok(&["plan", &file, "--json"])).unwrap();
    assert!(plan["steps"].as_array().unwrap().iter().all(|step| step["key"] == Value::Null));
    let output = workspace.takd(&["run", &file]);
    assert_eq!(output.code, 3, "{output:?}");
    assert!(output.stderr.contains("takd data fetch cifar100"), "{output:?}");
}

#[test]
fn where_a_digest_is_known_keys_are_the_official_files() {
    let workspace = Workspace::new();
    let text = r#"
[data.fashion]
format = "idx"
path   = "none/fashion-mnist"
[recipe.r]
epochs = 1
batch_size = 64
optimizer = { sgd = { lr = 0.1 } }
[train.t]
net = "plain2"
data = "fashion"
recipe = "r"
[eval.test]
of = ["t"]
"#;
    workspace.write("f.toml", text);
    let plan = workspace.ok(&["plan", "f.toml"]);
    assert!(plan.contains("fashion: not fetched; keys assume the official files"), "{plan}");
    let keys = |file: &str| {
        let plan: Value = serde_json::from_str(&workspace.ok(&["plan", file, "--json"])).unwrap();
        plan["steps"].as_array().unwrap().iter().map(|step| step["key"].clone()).collect::<Vec<_>>()
    };
    let absent = keys("f.toml");
    assert!(absent.iter().all(Value::is_string));
    let output = workspace.takd(&["run", "f.toml"]);
    assert!(output.code == 1 && output.stderr.contains("fashion-mnist"), "{output:?}");
    let there = "/usr/share/datasets/fashion-mnist";
    if !PathBuf::from(there).is_dir() {
        println!("skipped in part: no Debian package dataset-fashion-mnist");
        return;
    }
    workspace.write("there.toml", text.replace("none/fashion-mnist", there));
    assert_eq!(keys("there.toml"), absent);
}

#[test]
fn unknown_data_that_is_not_there_is_an_error_as_ever() {
    let workspace = Workspace::new();
    fs::remove_dir_all(workspace.path("bars")).unwrap();
    for command in ["check", "plan", "graph"] {
        let output = workspace.takd(&[command, "tiny.toml"]);
        assert!(output.code == 3 && output.stderr.contains("bars"), "{output:?}");
    }
}
