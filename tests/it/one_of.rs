//! `--set` and presets put another kind in the place of one, and leave nothing of the other.

use crate::workspace::{PIPELINE, Workspace};
use serde_json::Value;

fn pipeline() -> String {
    PIPELINE.replace("optimizer  =", "schedule   = { step = { milestones = [1] } }\noptimizer  =")
}

/// The keys of a file under these arguments.
fn keys(workspace: &Workspace, file: &str, args: &[&str]) -> Vec<String> {
    let text = workspace.ok(&[&["plan", file, "--json"], args].concat());
    let plan: Value = serde_json::from_str(&text).unwrap();
    let steps = plan["steps"].as_array().unwrap().iter();
    steps.map(|step| step["key"].as_str().unwrap().to_owned()).collect()
}

/// `over`, as `--set` and as a preset, gives what `new` gives where the file has it for `old`.
fn same(old: &str, new: &str, over: &str) {
    let workspace = Workspace::new();
    assert!(pipeline().contains(old), "{old}");
    workspace.write("tiny.toml", pipeline());
    workspace.write("other.toml", pipeline().replace(old, new));
    let (table, value) = over.split_once(" = ").unwrap();
    workspace.write("preset.toml", format!("{}\n[preset.p]\n{table} = {value}\n", pipeline()));
    let want = keys(&workspace, "other.toml", &[]);
    assert_ne!(keys(&workspace, "tiny.toml", &[]), want, "{over}");
    assert_eq!(keys(&workspace, "tiny.toml", &["--set", &format!("{table}={value}")]), want);
    assert_eq!(keys(&workspace, "preset.toml", &["--preset", "p"]), want);
}

#[test]
fn another_optimizer_takes_the_place_of_one() {
    let sgd = "optimizer  = { sgd = { lr = 0.05, momentum = 0.9, nesterov = true } }";
    let adam = "optimizer = { adam = { lr = 0.001 } }";
    same(sgd, adam, "recipe.short.optimizer = { adam = { lr = 0.001 } }");
}

#[test]
fn the_same_optimizer_is_changed_where_it_is_said() {
    let over = "recipe.short.optimizer = { sgd = { lr = 0.5 } }";
    same("lr = 0.05", "lr = 0.5", over);
    same("lr = 0.05", "lr = 0.5", "recipe.short.optimizer.sgd.lr = 0.5");
}

#[test]
fn another_schedule_takes_the_place_of_one() {
    let step = "schedule   = { step = { milestones = [1] } }";
    same(step, "schedule = { cosine = {} }", "recipe.short.schedule = { cosine = {} }");
}

#[test]
fn a_net_is_layers_or_like_another() {
    let layers = "[net.large]\nlayers = [\"conv6\", \"maxpool\", \"fc8\", \"fc3\"]";
    same(layers, "[net.large]\nlike = \"plain2\"", "net.large.like = \"plain2\"");
}
