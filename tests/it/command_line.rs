//! What the commands print, and the codes that they end with.

use crate::{
    running::Running,
    workspace::{PIPELINE, Workspace, step},
};
use std::{fmt::Write as _, process::Stdio};

/// A session: each command with what it printed.
fn session(workspace: &Workspace, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for args in commands {
        let output = workspace.takd(args);
        let (line, out, code) = (args.join(" "), output.stdout, output.code);
        write!(text, "$ takd {line}\n{out}{}exit code {code}\n\n", output.stderr).unwrap();
    }
    text
}

#[test]
fn before_and_after_a_run() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", PIPELINE.replace("seeds = [20, 31]", "seeds = [20]"));
    let mut text = session(
        &workspace,
        &[
            &["check", "tiny.toml"],
            &["plan", "tiny.toml"],
            &["plan", "tiny.toml", "takd"],
            &["why", "tiny.toml", "takd"],
            &["report", "tiny.toml"],
            &["cache", "list"],
            &["cache", "verify"],
        ],
    );
    workspace.run(&["tiny.toml"]);
    workspace.write("warmer.toml", PIPELINE.replace("lambda = 0.25", "lambda = 0.3"));
    text += &session(
        &workspace,
        &[
            &["plan", "tiny.toml"],
            &["plan", "warmer.toml", "takd@20", "test/takd@20"],
            &["why", "warmer.toml", "takd@20", "assistant@20", "teacher@20"],
            &["why", "tiny.toml", "takd"],
            &["cache", "show", "zz"],
            &["cache", "verify"],
        ],
    );
    insta::assert_snapshot!(text);
}

#[test]
fn graphs() {
    let workspace = Workspace::new();
    insta::assert_snapshot!(session(
        &workspace,
        &[&["graph", "tiny.toml"], &["graph", "tiny.toml", "--format", "mermaid"]]
    ));
}

#[test]
fn wrong_command_lines() {
    let workspace = Workspace::new();
    insta::assert_snapshot!(session(
        &workspace,
        &[
            &["rum", "tiny.toml"],
            &["run"],
            &["run", "tiny.toml", "--jobs", "0"],
            &["run", "tiny.toml", "--device", "gpu"],
            &["run", "tiny.toml", "--device", "cuda:1"],
            &["run", "tiny.toml", "zebra"],
            &["run", "tiny.toml", "["],
            &["report", "tiny.toml", "--format", "pdf"],
            &["cache", "gc"],
        ]
    ));
}

#[test]
fn show_prints_the_manifest_of_a_key() {
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20"]);
    let steps = result["steps"].as_array().unwrap();
    let key = steps.iter().find(|step| step["status"] == "done").unwrap()["key"].as_str().unwrap();
    let shown = workspace.ok(&["cache", "show", &key[..10]]);
    let manifest: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(manifest["inputs"]["seed"], 20);
    assert_eq!(manifest["provenance"]["node"], "nokd@20");
    assert_eq!(manifest["outcome"]["parameters"], 123);
}

/// The assistant's learning rate makes its loss leave the numbers.
fn with_a_failing_node() -> Workspace {
    let workspace = Workspace::new();
    let hot = "[recipe.hot]\nepochs = 2\nbatch_size = 16\noptimizer = { sgd = { lr = 1e30 } }\n";
    let text = PIPELINE.replace("[distill.assistant]", "[distill.assistant]\nrecipe = \"hot\"");
    workspace.write("tiny.toml", format!("{text}{hot}").replace("[20, 31]", "[20]"));
    workspace
}

#[test]
fn a_failed_node_ends_the_run_with_code_1_and_says_why() {
    let workspace = with_a_failing_node();
    let output = workspace.takd(&["run", "tiny.toml", "--jobs", "1"]);
    assert_eq!(output.code, 1, "{output:?}");
    let told = "distill assistant@20: failed: the loss became NaN in epoch 1, step 2, \
        at learning rate 1e30";
    assert!(output.stderr.contains(told), "{output:?}");
    assert!(
        output.stderr.contains("distill takd@20: not run, because distill assistant@20 failed")
    );
}

#[test]
fn keep_going_finishes_what_does_not_depend_on_it() {
    let workspace = with_a_failing_node();
    let output = workspace.takd(&["run", "tiny.toml", "--keep-going", "--json"]);
    assert_eq!(output.code, 1);
    let result: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let status = |name: &str| step(&result, name)["status"].clone();
    assert_eq!(status("assistant@20"), "failed");
    assert_eq!(status("takd@20"), "blocked");
    assert_eq!(status("test/takd@20"), "blocked");
    assert_eq!(status("test/blkd@20"), "done");
    assert_eq!(status("test/nokd@20"), "done");
    // The failure left nothing, and the table says what is missing.
    let report = workspace.ok(&["report", "tiny.toml"]);
    assert!(report.contains("2 results missing after a failure: see `takd status`"), "{report}");
    assert!(workspace.ok(&["cache", "verify"]).ends_with("0 damaged\n"));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let workspace = Workspace::new();
    let mut command = workspace.command(&["plan", "tiny.toml"]);
    let mut child = Running::new(command.stdout(Stdio::piped()));
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_cache_that_cannot_be_written_is_code_4() {
    let workspace = Workspace::new();
    workspace.write("file", "not a folder");
    let output = workspace.takd(&["run", "tiny.toml", "--cache", "file/cache"]);
    assert_eq!(output.code, 4, "{output:?}");
    assert!(output.stderr.contains("file/cache"), "{output:?}");
}

#[test]
fn the_environment_names_the_cache() {
    let workspace = Workspace::new();
    let mut command = workspace.command(&["run", "tiny.toml", "nokd@20"]);
    assert!(command.env("TAKD_CACHE", "other").status().unwrap().success());
    assert!(workspace.path("other/entries").is_dir() && !workspace.path("cache").exists());
}
