//! Whoever is told something may not listen: a training goes on, and signals are heard.

use crate::{
    resume::checkpoints,
    running::{MINUTES, Running},
    workspace::{PIPELINE, Workspace},
};
use serde_json::Value;
use std::{
    io::{Read, pipe},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A log of every epoch, some hundred bytes each.
const JSON: [&str; 9] = [
    "run",
    "tiny.toml",
    "nokd@20",
    "--set",
    MINUTES,
    "--checkpoint-every",
    "0",
    "--log-format",
    "json",
];
const LINES: [&str; 8] =
    ["run", "tiny.toml", "nokd@20", "--set", MINUTES, "--checkpoint-every", "0", "--verbose"];

/// Epochs after which every pipe is full, and the queue behind it.
const FULL: u64 = 3_000;

fn epoch(workspace: &Workspace) -> u64 {
    let text = workspace.ok(&["status", "tiny.toml", "--set", MINUTES, "--json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    status["nodes"][0]["reached"]["epoch"].as_u64().unwrap_or(0)
}

fn signal(run: &Running, signal: &str) {
    let kill = Command::new("kill").args([signal, &run.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// Its exit code; it must end by itself.
fn code(run: &mut Running) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if let Some(status) = run.try_wait().unwrap() {
            return status.code();
        }
        sleep(Duration::from_millis(5));
    }
    panic!("it does not end");
}

/// Waits until the training has come far beyond what the pipe holds.
fn wait_until_full(workspace: &Workspace, run: &mut Running) {
    let deadline = Instant::now() + Duration::from_secs(300);
    while epoch(workspace) < FULL {
        assert!(run.try_wait().unwrap().is_none(), "it ended before");
        assert!(Instant::now() < deadline, "the training is held back at {}", epoch(workspace));
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_stderr_that_nobody_reads_holds_no_training_back_and_no_signal() {
    for args in [&JSON[..], &LINES[..]] {
        let workspace = Workspace::new();
        let mut run = workspace.command(args);
        let mut run = Running::new(run.stdout(Stdio::null()).stderr(Stdio::piped()));
        wait_until_full(&workspace, &mut run);
        signal(&run, "-TERM");
        assert_eq!(code(&mut run), Some(143));
        assert_eq!(checkpoints(&workspace).len(), 1, "the stop has left one");
        // What the pipe held is whole lines from the start.
        let mut told = String::new();
        run.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(told.len() > 4096 && told.contains("nokd@20"), "{told}");
    }
}

/// A reader who stalls and comes back gets every word, and the number of what was dropped.
#[test]
fn who_reads_again_gets_every_word() {
    let workspace = Workspace::new();
    let mut run = workspace.command(&JSON);
    let mut run = Running::new(run.stdout(Stdio::null()).stderr(Stdio::piped()));
    wait_until_full(&workspace, &mut run);
    signal(&run, "-INT");
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stderr).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    for (kind, count) in [("plan", 1), ("started", 1), ("ended", 1), ("summary", 1)] {
        assert_eq!(of(kind).len(), count, "{kind}");
    }
    let notes = of("note").into_iter().map(|note| note["message"].as_str().unwrap());
    let notes: Vec<&str> = notes.collect();
    for text in ["stopping; once more", "its checkpoint is written", "stopped by Ctrl-C"] {
        assert!(notes.iter().any(|note| note.contains(text)), "{text}: {notes:?}");
    }
    let dropped: u64 = of("dropped").iter().map(|event| event["lines"].as_u64().unwrap()).sum();
    let last = of("epoch").last().unwrap()["epoch"].as_u64().unwrap();
    assert!(dropped > 0 && last > 0, "{dropped} after {last}");
}

#[test]
fn a_stderr_that_nobody_can_read_fails_nothing() {
    for args in [&["run", "tiny.toml"][..], &["run", "tiny.toml", "--log-format", "json"]] {
        let workspace = Workspace::new();
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = workspace.command(args).stderr(writer).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(
            String::from_utf8(output.stdout).unwrap().contains("\nassistant "),
            "the table is there"
        );
    }
}

#[test]
fn a_stdout_that_nobody_can_read_fails_nothing() {
    let workspace = Workspace::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = workspace.command(&["run", "tiny.toml"]).stdout(writer).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(workspace.ok(&["status", "tiny.toml"]).starts_with("tiny: 20 of 20"));
}

/// The results wait for their reader, and a signal ends that.
#[test]
fn results_that_nobody_reads_wait_for_a_reader_or_a_signal() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", PIPELINE.replace("seeds = [20, 31]", "seeds = [20]"));
    workspace.ok(&["run", "tiny.toml"]);
    for node in ["--force=nokd", "--quiet"] {
        let (reader, writer) = pipe().unwrap();
        // Fills the pipe, and waits itself.
        let mut filler = Command::new("yes");
        let mut filler = Running::new(filler.stdout(writer.try_clone().unwrap()));
        sleep(Duration::from_millis(500));
        let mut run = workspace.command(&["run", "tiny.toml", node]);
        let mut run = Running::new(run.stdout(writer).stderr(Stdio::null()));
        // The time until it waits cannot be seen from here; before, a signal ends it as well.
        sleep(Duration::from_secs(2));
        assert!(run.try_wait().unwrap().is_none(), "it waits");
        signal(&run, "-TERM");
        assert_eq!(code(&mut run), Some(143), "{node}");
        assert!(filler.try_wait().unwrap().is_none(), "the pipe was full all the while");
        drop(reader);
    }
}
