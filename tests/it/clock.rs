//! A clock that stands anywhere, or jumps, changes nothing but the times that are told.

use crate::{
    resume::checkpoints,
    running::Running,
    workspace::{Workspace, key},
};
use std::{
    fs,
    process::{Command, Stdio},
    thread::{self, sleep},
    time::Duration,
};

#[test]
fn a_holder_from_any_time_is_waited_for() {
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20"]);
    let key = key(&result, "nokd@20");
    for since in [u64::MAX, 0] {
        let path = workspace.path("cache/locks").join(format!("{key}.lock"));
        let holder = format!("{{\"host\":\"elsewhere\",\"pid\":1,\"since\":{since}}}");
        fs::write(&path, holder).unwrap();
        let lock = fs::File::open(&path).unwrap();
        lock.lock().unwrap();
        let child = thread::scope(|scope| {
            let run = scope.spawn(|| workspace.takd(&["run", "tiny.toml", "--force", "nokd@20"]));
            sleep(Duration::from_millis(600));
            drop(lock);
            run.join().unwrap()
        });
        assert_eq!(child.code, 0, "{child:?}");
        assert!(child.stderr.contains("waits for process 1 on elsewhere"), "{child:?}");
    }
}

/// The library with which `faketime` moves a program's clock.
fn library() -> Option<String> {
    let mut command = Command::new("faketime");
    let output = command.args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !path.is_empty()).then_some(path)
}

const RUN: [&str; 7] =
    ["run", "tiny.toml", "nokd@20", "--set", "recipe.short.epochs=600", "--checkpoint-every", "0"];
const STATUS: [&str; 4] = ["status", "tiny.toml", "--set", "recipe.short.epochs=600"];

/// `takd` under a clock that `now` moves; the one that only goes ahead is left as it is.
fn moved(workspace: &Workspace, library: &str, args: &[&str]) -> Command {
    let mut command = workspace.command(args);
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", workspace.path("now"));
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

#[test]
fn a_training_goes_on_whatever_the_clock_says() {
    let Some(library) = library() else {
        println!("skipped: no faketime");
        return;
    };
    let workspace = Workspace::new();
    workspace.ok(&[&RUN[..], &["--cache", "whole"]].concat());
    workspace.write("now", "+0");
    let mut command = moved(&workspace, &library, &RUN);
    let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let ended = |run: &mut Running| run.try_wait().unwrap().is_some();
    let mut seen = Vec::new();
    for now in ["-25y", "+80y", "-70y"] {
        // Until the clock that stood there has seen a checkpoint.
        loop {
            let kept = checkpoints(&workspace).first().and_then(|path| fs::read(path).ok());
            if kept.as_ref().is_some_and(|kept| *kept != seen) || ended(&mut run) {
                seen = kept.unwrap_or(seen);
                break;
            }
            sleep(Duration::from_millis(2));
        }
        workspace.write("now", now);
        let output = workspace.takd(&STATUS);
        assert!(output.code == 0 && (ended(&mut run) || output.stdout.contains("running train")));
        let gc = workspace.takd(&["cache", "gc", "tiny.toml", "--yes"]);
        assert!(gc.code == 4 && gc.stderr.contains("in use") || ended(&mut run), "{gc:?}");
    }
    let early = ended(&mut run);
    drop(run);
    let mut command = moved(&workspace, &library, &STATUS);
    let status = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(early || status.starts_with("stopped train nokd@20, "), "{status}");
    workspace.write("now", "+200y");
    let output = moved(&workspace, &library, &RUN).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && (early || told.contains("resuming after")), "{told}");
    assert!(workspace.entry_files("cache") == workspace.entry_files("whole"));
    for now in ["@1960-01-01 00:00:00", "@1970-01-01 00:00:05", "@2261-01-01 00:00:00"] {
        workspace.write("now", now);
        for args in [&["cache", "verify"][..], &["cache", "list"], &["run", "tiny.toml", "nokd@20"]]
        {
            let output = moved(&workspace, &library, args).output().unwrap();
            assert!(output.status.success(), "{now} {args:?}: {output:?}");
        }
        let gc =
            moved(&workspace, &library, &["cache", "gc", "tiny.toml", "--yes"]).output().unwrap();
        assert!(gc.status.success(), "{now}: {gc:?}");
        assert!(checkpoints(&workspace).is_empty());
    }
}
