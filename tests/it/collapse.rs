//! A training that learns nothing any more is told at that epoch, and teaches nobody.

use crate::workspace::{Workspace, step};
use serde_json::Value;
use std::fs;

/// A plain network at a rate that kills it in its first epoch, and a student of it.
const DYING: &str = r#"
[data.fashion]
format     = "fashion-mini"
validation = 4000

[recipe.short]
epochs     = 2
batch_size = 32
optimizer  = { sgd = { lr = 3.0, momentum = 0.9, nesterov = true } }

[recipe.gentle]
epochs     = 1
batch_size = 32
optimizer  = { sgd = { lr = 0.01, momentum = 0.9, nesterov = true } }

[train.teacher]
net    = "plain2"
data   = "fashion"
recipe = "short"

[distill.student]
net       = "plain2"
teacher   = "teacher"
recipe    = "gentle"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[train.healthy]
net    = "plain2"
data   = "fashion"
recipe = "gentle"
"#;

#[test]
fn a_dead_teacher_fails_in_its_first_epoch_with_the_causes() {
    let workspace = Workspace::new();
    workspace.write("dying.toml", DYING);
    let output = workspace.takd(&["run", "dying.toml", "--keep-going"]);
    assert_eq!(output.code, 1, "{output:?}");
    for told in [
        "collapsed in epoch 1: every image gets the same output",
        "Likely causes: the learning rate, 3.0, is high for this network",
        "`on_collapse = \"warn\"` trains on",
        "distill student@0: not run, because train teacher@0 failed",
    ] {
        assert!(output.stderr.contains(told), "{told}: {output:?}");
    }
    let status = workspace.ok(&["status", "dying.toml"]);
    assert!(status.contains("collapsed in epoch 1"), "{status}");
}

#[test]
fn a_training_that_teaches_nobody_is_warned_of_once_and_recorded() {
    let workspace = Workspace::new();
    workspace.write("dying.toml", DYING);
    let warn = ["--set", "on_collapse=\"warn\""];
    let run = |args: &[&str]| workspace.takd(&[&["run", "dying.toml", "-v"], args].concat());
    let output = run(&[&["teacher", "healthy"], &warn[..]].concat());
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(output.stderr.matches("warning: collapsed in epoch 1").count(), 1, "{output:?}");
    assert!(output.stderr.contains("% (training "), "{output:?}");
    // The switch is in no key: what was made under one is found under the other.
    let result = workspace.run(&["dying.toml", "teacher", "healthy"]);
    let manifest = |task: &str| -> Value {
        let entry =
            workspace.path("cache/entries").join(step(&result, task)["key"].as_str().unwrap());
        serde_json::from_slice(&fs::read(entry.join("manifest.json")).unwrap()).unwrap()
    };
    let (dead, healthy) = (manifest("teacher@0"), manifest("healthy@0"));
    assert_eq!(dead["outcome"]["collapsed_epoch"], 1);
    assert_eq!(dead["provenance"]["on_collapse"], "warn");
    assert_eq!(healthy["outcome"]["collapsed_epoch"], Value::Null);
}

#[test]
fn who_teaches_stops_and_who_does_not_goes_on_unless_the_file_says_otherwise() {
    let collapse = |text: &str| {
        let pipeline =
            crate::keys::parse(&crate::workspace::PIPELINE.replace("seeds = [20, 31]", text));
        let nodes = pipeline.nodes.iter();
        let learns = nodes.filter_map(|node| match &node.work {
            takd::pipeline::Work::Learn(learn) => Some((node.name.clone(), learn.on_collapse)),
            takd::pipeline::Work::Eval(_) => None,
        });
        learns.collect::<std::collections::BTreeMap<_, _>>()
    };
    use takd::recipe::OnCollapse::{Stop, Warn};
    let usual = collapse("");
    assert_eq!(
        [usual["teacher"], usual["assistant"], usual["takd"], usual["nokd"]],
        [Stop, Stop, Warn, Warn]
    );
    assert!(collapse("on_collapse = \"warn\"").values().all(|&on| on == Warn));
    assert!(collapse("on_collapse = \"stop\"").values().all(|&on| on == Stop));
}
