//! Networks at an epoch: `t@40` teaches, `*@last` is measured.

use crate::workspace::{PIPELINE, Workspace};

/// `PIPELINE` with one seed, four epochs, a cosine, and this teacher of `takd`.
fn text(teacher: &str) -> String {
    let (before, after) = PIPELINE.split_once("[distill.takd]").unwrap();
    let after = after.replacen("\"assistant\"", teacher, 1);
    let text = format!("{before}[distill.takd]{after}").replace("[20, 31]", "[20]");
    text.replace("epochs     = 2", "epochs     = 4\nschedule   = { cosine = {} }")
}

fn with(text: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", text);
    workspace
}

/// The bytes of every weights file of a cache, sorted.
fn weights(workspace: &Workspace) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = workspace.entry_files("cache").into_iter();
    files.filter(|(path, _)| path.ends_with("weights.safetensors")).collect()
}

#[test]
fn a_teacher_at_an_epoch_is_that_training_cut_short() {
    // Alone: the teacher trains for two epochs, and no further.
    let alone = with(&text("\"teacher@2\""));
    let output = alone.takd(&["run", "tiny.toml", "takd"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("trained 2, measured 0"), "{}", output.stderr);
    // On the way of the whole training, which comes first.
    let passing = with(&text("\"teacher@2\""));
    let output = passing.takd(&["run", "tiny.toml", "teacher", "takd", "--jobs", "2"]);
    assert!(output.stderr.contains("distill takd@20: done"), "{}", output.stderr);
    let passed = "train teacher@2@20: made meanwhile";
    assert!(output.stderr.contains(passed), "{}", output.stderr);
    let (some, all) = (weights(&alone), weights(&passing));
    assert_eq!((some.len(), all.len()), (2, 3));
    assert!(some.iter().all(|file| all.contains(file)), "the same bits on both ways");
    // Whoever has the whole training trains the short one when it is asked for, to the same bits.
    let late = with(&text("\"teacher\""));
    late.ok(&["run", "tiny.toml", "teacher"]);
    late.write("tiny.toml", text("\"teacher@2\""));
    late.ok(&["run", "tiny.toml", "takd"]);
    assert!(weights(&late) == all);
    let why = late.ok(&["why", "tiny.toml", "teacher@2"]);
    assert!(why.contains("teacher@2"), "{why}");
    let plan = late.ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("reuse  train    teacher@2@20"), "{plan}");
}

#[test]
fn the_last_epoch_and_the_selected_one_come_from_one_training() {
    let text = text("\"assistant\"").replace("of    = [\"*\"]", "of = [\"*\", \"*@last\"]");
    assert!(text.contains("*@last"));
    let table =
        "[table.both]\nrows = [{ node = \"takd\" }, { node = \"takd@last\", label = \"last\" }]\n";
    let workspace = with(&(text.clone() + table));
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    // Five networks, each trained once.
    assert!(output.stderr.contains("trained 5, measured 10"), "{}", output.stderr);
    assert!(output.stdout.contains("\nlast "), "{}", output.stdout);
    // Weights that are kept are those of the last epoch: one artifact.
    let last = text.replace("epochs     = 4", "epochs     = 4\nselect     = \"last\"");
    let plan = with(&last).ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("takd@20 = takd@last@20"), "{plan}");
}

#[test]
fn a_killed_training_has_left_its_epochs() {
    let workspace = with(&text("\"teacher@2\""));
    let whole = ["run", "tiny.toml", "teacher", "takd", "--set", "recipe.short.epochs=400"];
    let mut child = crate::running::Running::new(&mut workspace.command(&whole));
    let moment = || workspace.path("cache/entries").exists() && weights(&workspace).len() == 1;
    let started = std::time::Instant::now();
    while !moment() && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(moment(), "the second epoch's network is there before the training ends");
}

#[test]
fn epochs_that_are_none_are_told_with_carets() {
    let mut told = String::new();
    for teacher in
        ["\"teacher@0\"", "\"teacher@5\"", "\"techer@2\"", "\"teacher@first\"", "\"teacher@2@1\""]
    {
        told += &with(&text(teacher)).refusal();
    }
    let text = text("\"assistant\"");
    let of = text.replace("of    = [\"*\"]", "of = [\"nobody@*\", \"z*@last\"]");
    told += &with(&of).takd(&["check", "tiny.toml"]).stderr;
    let row = text + "[table.t]\nrows = [{ node = \"takd@last\" }]\n";
    told += &with(&row).takd(&["check", "tiny.toml"]).stderr;
    insta::assert_snapshot!(told);
}
