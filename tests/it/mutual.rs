//! Networks that learn from one another: one training, an artifact for each, killed and resumed, refused.

use crate::{
    resume::{checkpoints, wait_for_checkpoint},
    running::Running,
    workspace::{PIPELINE, Workspace, key},
};
use std::{collections::BTreeMap, fs, path::PathBuf, process::Stdio};

/// `[mutual.pair]` of two different networks and a third like the first, and their evals.
fn text(objective: &str) -> String {
    let (before, _) = PIPELINE.split_once("[train.teacher]").unwrap();
    let pair = format!(
        "[mutual.pair]\nnets = [\"small\", \"middle\", \"small\"]\ndata = \"bars\"\nrecipe = \"short\"\n{objective}\n\
        [eval.test]\nof = [\"*\"]\n"
    );
    format!("{before}{pair}").replace("[20, 31]", "[20]")
}

fn with(objective: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", text(objective));
    workspace
}

/// Files of networks by their node.
fn networks(workspace: &Workspace, args: &[&str]) -> BTreeMap<String, Vec<(PathBuf, Vec<u8>)>> {
    let result = workspace.run(&[&["tiny.toml"], args].concat());
    let files = workspace.entry_files("cache");
    let of = |name: &str| {
        let key = key(&result, name);
        let own = files.iter().filter(|(path, _)| path.to_string_lossy().contains(key));
        own.map(|(path, bytes)| (path.file_name().unwrap().into(), bytes.clone())).collect()
    };
    NAMES.map(|name| (name.to_owned(), of(name))).into()
}

const NAMES: [&str; 3] = ["pair/small@20", "pair/middle@20", "pair/small-2@20"];

#[test]
fn one_training_makes_them_all_and_each_has_a_key() {
    let workspace = with("");
    let run = workspace.takd(&["run", "tiny.toml", "-v"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stderr.matches("epoch 2/2").count(), 1, "{}", run.stderr);
    let all = networks(&workspace, &[]);
    assert!(all.values().all(|files| files.len() > 1), "{:?}", all.keys());
    assert_ne!(all["pair/small@20"], all["pair/small-2@20"], "they begin differently");
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("0 to run"), "{plan}");

    // Whichever is asked for trains all, to the same bits.
    let other = with("objective = { dml = {} }");
    other.ok(&["run", "tiny.toml", "pair/middle"]);
    let plan = other.ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("3 to run"), "the evals alone: {plan}");
    assert!(networks(&other, &[]) == all);

    // One of them that is lost is made again.
    let lost = key(&workspace.run(&["tiny.toml"]), "pair/middle@20").to_owned();
    let mut path = workspace.entry_files("cache").into_iter().map(|(path, _)| path);
    let path = path.find(|path| path.to_string_lossy().contains(&lost)).unwrap();
    fs::remove_dir_all(workspace.path("cache/entries").join(path.parent().unwrap())).unwrap();
    assert!(workspace.ok(&["plan", "tiny.toml"]).contains("1 to run"));
    assert!(networks(&workspace, &[]) == all);
}

#[test]
fn they_resume_to_the_same_bits_after_a_kill() {
    let args = &["--set", "recipe.short.epochs=30", "--checkpoint-every", "0"][..];
    let all = [&["run", "tiny.toml"], args].concat();
    let (whole, killed) = (with(""), with(""));
    whole.ok(&all);
    let mut in_time = 0;
    for _ in 0..2 {
        let mut command = killed.command(&all);
        let mut child = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
        in_time += usize::from(wait_for_checkpoint(&killed, &mut child));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let left = checkpoints(&killed).len();
    killed.ok(&all);
    assert!(networks(&whole, args) == networks(&killed, args));
    assert!(in_time > 0 && left > 0, "{in_time} {left}");
}

#[test]
fn other_objectives_on_logits_do_as_well() {
    let workspace = with("objective = [{ nkd = {} }, { dist = { ce = 0 } }]");
    assert!(networks(&workspace, &[]).values().all(|files| files.len() > 1));
}

#[test]
fn what_cannot_be_is_told_with_carets() {
    let mut told = String::new();
    for text in [
        text("objective = { at = {} }"),
        text("objective = { ctkd = {} }"),
        text("objective = { bss = {} }"),
        text("teacher = \"pair/small\""),
        text("").replace("[\"small\", \"middle\", \"small\"]", "[\"small\"]"),
        text("").replace("[\"*\"]", "[\"*\", \"pair/small@1\"]"),
        text("").replace("\"middle\",", "\"midle\","),
    ] {
        let workspace = Workspace::new();
        workspace.write("tiny.toml", &text);
        told += &workspace.refusal();
    }
    insta::assert_snapshot!(told);
}
