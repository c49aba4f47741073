//! A cache on a file system that machines share, by a stand-in for what such systems do to processes
//! (`tests/shared_files/stand_in.c`), and by users of one group.

use crate::{resume::checkpoints, running::Running, workspace::Workspace};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::Duration,
};

/// The stand-in, compiled; nothing where there is no compiler.
fn stand_in() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shared_files/stand_in.c");
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shared_files.so");
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).args([source, "-ldl"]);
        command.status().is_ok_and(|status| status.success()).then_some(library)
    });
    if built.is_none() {
        println!("skipped: no C compiler");
    }
    built.as_deref()
}

/// `takd` on such a file system.
fn command(workspace: &Workspace, settings: &[(&str, &str)], args: &[&str]) -> Option<Command> {
    let mut command = workspace.command(args);
    command.env("LD_PRELOAD", stand_in()?).env("UNDER", "cache/").envs(settings.iter().copied());
    Some(command)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const NONE: [(&str, &str); 1] = [("LOCKS", "none")];
const LONG: [&str; 5] = ["run", "tiny.toml", "nokd@20", "--set", "recipe.short.epochs=2000"];

fn start(workspace: &Workspace, settings: &[(&str, &str)], args: &[&str]) -> Option<Running> {
    let mut command = command(workspace, settings, args)?;
    Some(Running::new(command.stdout(Stdio::piped()).stderr(Stdio::piped())))
}

/// Runs that begin at a time on one cache make each node once, and end with the bits of one alone.
fn share(settings: &[(&str, &str)]) -> Option<Workspace> {
    let workspace = Workspace::new();
    workspace.ok(&["run", "-q", "tiny.toml", "--cache", "alone"]);
    let runs: Option<Vec<Running>> =
        (0..4).map(|_| start(&workspace, settings, &["run", "tiny.toml"])).collect();
    let (mut trained, mut said) = (0, String::new());
    for run in runs? {
        let output = run.output().unwrap();
        let text = text(&output);
        assert!(output.status.success(), "{text}");
        let last = text.lines().last().unwrap_or_default();
        let count = last.strip_prefix("trained ").and_then(|rest| rest.split(',').next());
        trained += count.and_then(|count| count.parse::<usize>().ok()).expect(last);
        said += &text;
    }
    assert_eq!(trained, 10, "{said}");
    assert_eq!(workspace.entry_files("cache"), workspace.entry_files("alone"));
    Some(workspace)
}

#[test]
fn without_locks_leases_keep_runs_apart() {
    let Some(workspace) = share(&NONE) else { return };
    let left: Vec<_> = fs::read_dir(workspace.path("cache/locks")).unwrap().collect();
    let left: Vec<_> = left.into_iter().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().any(|name| name == "by-lease"), "{left:?}");
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".lease")), "{left:?}");
    // A process whose system has locks goes by the cache.
    assert_eq!(workspace.trained(&["tiny.toml"]), [""; 0]);
}

#[test]
fn nfs_locks_keep_runs_apart() {
    share(&[("LOCKS", "fcntl"), ("STALE", "1")]);
}

#[test]
fn a_name_that_was_not_there_is_looked_up_anew_once_it_may_be() {
    let workspace = Workspace::new();
    let args = [&LONG[..], &["--checkpoint-every", "0"]].concat();
    let Some(mut first) = start(&workspace, &[], &args) else { return };
    while checkpoints(&workspace).is_empty() {
        assert!(first.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(5));
    }
    // It finds nothing under the key, there nor in a bucket; then it waits for who makes it.
    fs::create_dir(workspace.path("bucket")).unwrap();
    let bucket = format!("file://{}", workspace.path("bucket").display());
    let args = [&LONG[..], &["--remote", &bucket]].concat();
    let second = start(&workspace, &[("STALE", "1")], &args).unwrap();
    assert!(first.output().unwrap().status.success());
    let output = second.output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("waits for process"), "{said}");
    assert!(said.contains("trained 0, "), "{said}");
}

#[test]
fn a_killed_runs_lease_is_taken_over_and_its_checkpoint_used() {
    let workspace = Workspace::new();
    workspace.ok(&[&LONG[..], &["--cache", "whole"]].concat());
    let args = [&LONG[..], &["--checkpoint-every", "0"]].concat();
    let Some(mut first) = start(&workspace, &NONE, &args) else { return };
    while checkpoints(&workspace).is_empty() {
        assert!(first.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(5));
    }
    // While it runs, gc does nothing, and `takd status` sees it.
    let gc = command(&workspace, &NONE, &["cache", "gc", "tiny.toml", "--yes"]).unwrap().output();
    let gc = gc.unwrap();
    if first.try_wait().unwrap().is_none() {
        assert!(text(&gc).contains("in use by a run"), "{gc:?}");
        let args = ["status", "tiny.toml", "--set", "recipe.short.epochs=2000"];
        let status = command(&workspace, &NONE, &args).unwrap().output().unwrap();
        let status = String::from_utf8(status.stdout).unwrap();
        assert!(status.contains("running") || first.try_wait().unwrap().is_some(), "{status}");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let output = start(&workspace, &NONE, &args).unwrap().output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(workspace.entry_files("cache"), workspace.entry_files("whole"));
    let gc = command(&workspace, &NONE, &["cache", "gc", "tiny.toml", "--yes"]).unwrap().output();
    assert!(gc.as_ref().unwrap().status.success(), "{gc:?}");
}

#[test]
fn leases_whose_times_cannot_be_understood_are_an_error() {
    let workspace = Workspace::new();
    fs::create_dir_all(workspace.path("cache/locks")).unwrap();
    workspace.write("cache/locks/by-lease", r#"{"renewal": 10, "lapse": 12}"#);
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(output.code, 4, "{output:?}");
    assert!(
        output.stderr.contains("by-lease") && output.stderr.contains("three times"),
        "{output:?}"
    );
}

/// What a member of the group 4343 types under a umask that shuts all others out.
fn member(workspace: &Workspace, user: u32, args: &str) -> Output {
    let script = format!(
        "umask 077; exec setpriv --reuid={user} --regid={user} --groups=4343 {} {args}",
        env!("CARGO_BIN_EXE_takd")
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(workspace.path("")).env("NO_COLOR", "1");
    command.env("HOME", "/nonexistent").env_remove("TAKD_CACHE").env_remove("TAKD_REMOTE");
    command.output().unwrap()
}

#[test]
fn members_of_a_group_share_a_cache_whatever_their_umask() {
    let workspace = Workspace::new();
    let everyone = |name: &str, mode| {
        fs::set_permissions(workspace.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    everyone("", 0o755);
    fs::create_dir(workspace.path("cache")).unwrap();
    let handed_on = chown(workspace.path("cache"), None, Some(4343));
    everyone("cache", 0o2770);
    if handed_on.is_err() || !member(&workspace, 4242, "check tiny.toml").status.success() {
        println!("skipped: no setpriv, or not root, or the binary is closed to others");
        return;
    }
    let first = member(&workspace, 4242, "run tiny.toml 'nokd@20' 'blkd@20'");
    assert!(first.status.success(), "{}", text(&first));
    let second = member(&workspace, 4244, "run tiny.toml");
    assert!(second.status.success(), "{}", text(&second));
    let third = member(&workspace, 4242, "run tiny.toml --force nokd@20");
    assert!(third.status.success(), "{}", text(&third));
    let removed = member(&workspace, 4244, "cache rm nokd@20 --yes");
    assert!(removed.status.success(), "{}", text(&removed));
    let mut open = vec![workspace.path("cache")];
    while let Some(path) = open.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let wanted = if metadata.is_dir() { 0o2770 } else { 0o660 };
        assert_eq!(
            (metadata.mode() & 0o7777, metadata.gid()),
            (wanted, 4343),
            "{}",
            path.display()
        );
        if metadata.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}
