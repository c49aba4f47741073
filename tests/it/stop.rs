//! Stopped by a signal, a run leaves a checkpoint, says how to go on, and ends with that signal's
//! code; a run that waits for another takes over when that one dies.

use crate::{
    onnx,
    resume::checkpoints,
    running::{MINUTES, Running},
    workspace::{PIPELINE, Workspace, key},
};
use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    process::{ChildStderr, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Trains until it is stopped, with checkpoints as often as their cost allows.
const ARGS: [&str; 7] =
    ["run", "tiny.toml", "nokd@20", "--set", MINUTES, "--checkpoint-every", "0"];

/// A run that does not end before it is stopped.
struct Endless {
    child: Running,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Endless {
    fn new(workspace: &Workspace) -> Self {
        Self::with(workspace, &ARGS)
    }

    fn with(workspace: &Workspace, args: &[&str]) -> Self {
        Self::of(&mut workspace.command(args))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = Running::new(command.stdout(Stdio::null()).stderr(Stdio::piped()));
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stderr }
    }

    /// Waits until there is a checkpoint.
    fn wait_for_checkpoint(&mut self, workspace: &Workspace) {
        while checkpoints(workspace).is_empty() {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended before any checkpoint");
            sleep(Duration::from_millis(5));
        }
    }

    /// Reads on until a line holds `text`.
    fn wait_for(&mut self, text: &str) -> String {
        let line = self.stderr.by_ref().map(Result::unwrap).find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("it never said `{text}`"))
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Sends a signal; the exit code and the rest of stderr.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let rest: Vec<String> = self.stderr.map(Result::unwrap).collect();
        (self.child.wait().unwrap().code(), rest.join("\n"))
    }
}

#[test]
fn the_notice_of_a_time_limit_leaves_a_checkpoint_and_has_a_code_of_its_own() {
    let workspace = Workspace::new();
    let mut run = Endless::new(&workspace);
    run.wait_for_checkpoint(&workspace);
    // A scheduler's SIGTERM may come on its heels, and must not cut the checkpoint short.
    run.signal("-USR1");
    run.wait_for("stopping");
    let (code, told) = run.stop("-TERM");
    assert_eq!(code, Some(75), "{told}");
    assert!(
        told.contains("stopped by SIGUSR1") && told.contains("checkpoint is written"),
        "{told}"
    );
    // Before anything runs there is nothing to keep.
    let again = workspace.takd(&["run", "tiny.toml", "nokd@20"]);
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn signals_leave_a_checkpoint_and_say_how_to_go_on() {
    let workspace = Workspace::new();
    let mut run = Endless::new(&workspace);
    run.wait_for_checkpoint(&workspace);
    let (code, told) = run.stop("-INT");
    assert_eq!(code, Some(130), "{told}");
    for text in ["stopped by Ctrl-C", &format!("takd {}", ARGS.join(" ")), "checkpoint is written"]
    {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert_eq!(checkpoints(&workspace).len(), 1);
    assert!(!workspace.path("cache/staging").exists(), "nothing half done");
    let mut run = Endless::new(&workspace);
    let resuming = run.wait_for("resuming after");
    let place = told.split_once("stopped ").unwrap().1.split(';').next().unwrap();
    assert!(resuming.contains(place), "{place}: {resuming}");
    let (code, told) = run.stop("-TERM");
    assert_eq!(code, Some(143), "{told}");
    assert!(told.contains("stopped by SIGTERM"), "{told}");
}

/// Reading a folder of images starts threads before any node runs: a signal must not end in one.
#[test]
fn signals_are_heard_whatever_threads_there_are() {
    let workspace = Workspace::new();
    crate::pictures::write(&workspace.path("set"));
    workspace.write("tiny.toml", crate::image_runs::PIPELINE);
    for signal in ["-INT", "-TERM"] {
        let args = [&["run", "tiny.toml", "teacher"], &ARGS[3..]].concat();
        let mut run = Endless::with(&workspace, &args);
        run.wait_for_checkpoint(&workspace);
        let (code, told) = run.stop(signal);
        assert_eq!(code, Some(if signal == "-INT" { 130 } else { 143 }), "{told}");
        assert!(told.contains("checkpoint is written"), "{told}");
        for checkpoint in checkpoints(&workspace) {
            std::fs::remove_file(checkpoint).unwrap();
        }
    }
}

#[test]
fn who_waits_says_for_whom_and_takes_over_when_the_holder_dies() {
    let workspace = Workspace::new();
    let mut holder = Endless::new(&workspace);
    holder.wait_for_checkpoint(&workspace);
    let mut waiter = Endless::new(&workspace);
    let line = waiter.wait_for("waits for process");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let named = format!("process {} on {}", holder.child.id(), host.trim());
    assert!(line.contains(&named) && line.contains("has been making it for"), "{line}");
    let (code, _) = holder.stop("-KILL");
    assert_eq!(code, None);
    waiter.wait_for("resuming after");
    let (code, _) = waiter.stop("-INT");
    assert_eq!(code, Some(130));
}

/// The first signal waits for nodes; who does not want to wait sends another.
#[test]
fn a_second_signal_ends_a_run_that_cannot_stop() {
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20"]);
    // The node writes its progress here, and waits for a reader that never comes.
    let pipe = format!("cache/progress/{}.new", key(&result, "nokd@20"));
    assert!(Command::new("mkfifo").arg(workspace.path(pipe)).status().unwrap().success());
    let force = ["run", "tiny.toml", "nokd@20", "--force", "nokd@20"];
    let mut run = Endless::with(&workspace, &force);
    run.wait_for("nokd@20: started");
    run.signal("-TERM");
    run.wait_for("stopping; once more ends it at once");
    run.signal("-INT");
    let deadline = Instant::now() + Duration::from_secs(60);
    while run.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        sleep(Duration::from_millis(5));
    }
    assert_eq!(run.child.wait().unwrap().code(), Some(130));
    assert_eq!(run.stderr.count(), 0, "nothing more is told");
}

/// Whether this process ignores SIGHUP, signal 1, as under `nohup`.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 > 0)
}

#[test]
fn a_hangup_is_what_the_system_makes_of_it() {
    let workspace = Workspace::new();
    let mut run = Endless::new(&workspace);
    run.wait_for_checkpoint(&workspace);
    if ignores_hangups() {
        // So does every child, the run included.
        println!("skipped in part: the tests themselves run under nohup");
        run.stop("-INT");
    } else {
        assert_eq!(run.stop("-HUP").0, None, "it ends the process");
    }
    let mut command = Command::new("nohup");
    let takd = workspace.command(&ARGS);
    command.arg(takd.get_program()).args(takd.get_args()).current_dir(workspace.path(""));
    let mut run = Endless::of(command.stdin(Stdio::null()).env_remove("TAKD_CACHE"));
    run.wait_for("resuming after");
    run.signal("-HUP");
    let (code, told) = run.stop("-INT");
    assert!(code == Some(130) && told.contains("checkpoint is written"), "{code:?}: {told}");
}

#[test]
fn a_watched_teacher_in_a_file_is_looked_at() {
    let workspace = Workspace::new();
    workspace.write("rows.npy", onnx::npy(72));
    workspace.write("outside.toml", onnx::with("{ logits = \"rows.npy\" }"));
    let mut run = Endless::with(&workspace, &["run", "outside.toml", "blkd@20", "--watch"]);
    run.wait_for("watching outside.toml");
    workspace.write("rows.npy", onnx::npy(72));
    assert!(run.wait_for(" has changed").contains("rows.npy"));
    run.wait_for("watching ");
    assert_eq!(run.stop("-INT").0, Some(130));
}

#[test]
fn a_watched_pipeline_runs_again_when_its_files_change_until_ctrl_c() {
    let workspace = Workspace::new();
    let mut run = Endless::with(&workspace, &["run", "tiny.toml", "nokd@20", "--watch"]);
    assert!(run.wait_for("trained ").starts_with("trained 1, measured 0, reused 0"));
    run.wait_for("watching tiny.toml; Ctrl-C ends it");
    workspace.write("tiny.toml", PIPELINE.replace("epochs     = 2", "epochs     = 3"));
    run.wait_for("tiny.toml has changed");
    assert!(run.wait_for("trained ").starts_with("trained 1, "), "by another recipe");
    // A file with errors is reported and waited for.
    run.wait_for("watching ");
    workspace.write("tiny.toml", "[recipe.x]\nepoch = 1");
    run.wait_for("did you mean `epochs`?");
    run.wait_for("watching ");
    workspace.write("tiny.toml", PIPELINE);
    assert!(run.wait_for("trained ").starts_with("trained 0, measured 0, reused 1"));
    // What it reads counts as well.
    run.wait_for("watching ");
    let labels = workspace.path("bars/train-labels-idx1-ubyte");
    let same = fs::read(&labels).unwrap();
    fs::write(&labels, same).unwrap();
    assert!(run.wait_for(" has changed").contains("train-labels-idx1-ubyte"));
    run.wait_for("watching ");
    assert_eq!(run.stop("-INT").0, Some(130));
}
