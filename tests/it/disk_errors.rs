//! A disk that fails while the cache is read is an error that names the file, never damage.

use crate::{
    locks::lock,
    workspace::{Output, Workspace, key},
};
use std::{fs, path::Path, process::Command};
use takd::{
    key::Key,
    store::{Store, StoredCheckpoint},
};

/// Whether `strace` is there and may trace; says so if not.
pub fn may_trace() -> bool {
    let may =
        Command::new("strace").args(["-f", "true"]).output().is_ok_and(|o| o.status.success());
    if !may {
        println!("skipped: no strace, or it may not trace");
    }
    may
}

/// Runs takd while calls on `path` fail as `inject` says, in strace's words; and whether one did.
pub fn injected(workspace: &Workspace, path: &str, inject: &str, args: &[&str]) -> (Output, bool) {
    let (trace, calls) = (inject.split(':').next().unwrap(), workspace.path("calls"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-P", path, "-o"]).arg(&calls);
    strace.args(["-e", &format!("trace={trace}"), "-e", &format!("inject={inject}")]);
    strace.arg(env!("CARGO_BIN_EXE_takd")).args(args).current_dir(workspace.path(""));
    let output = strace.env_remove("TAKD_CACHE").env("NO_COLOR", "1").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let code = output.status.code().unwrap_or(-1);
    (Output { code, stdout, stderr }, fs::read_to_string(calls).unwrap().contains("(INJECTED)"))
}

/// Some come once, after calls on the same name that went well.
const FAULTS: [(&str, &str); 10] = [
    ("read:error=EIO", "Input/output error"),
    ("read:retval=0", "the system gave 0 of its"),
    ("read:error=ESTALE", "Stale file handle"),
    ("openat:error=EMFILE", "Too many open files"),
    ("openat:error=EACCES", "Permission denied"),
    ("openat:error=ENOMEM", "Cannot allocate memory"),
    ("statx:error=EIO", "Input/output error"),
    ("statx:error=EACCES", "Permission denied"),
    ("statx:error=EIO:when=2", "Input/output error"),
    ("statx:error=EIO:when=3", "Input/output error"),
];

#[test]
fn a_disk_that_fails_sets_no_entry_aside() {
    if !may_trace() {
        return;
    }
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20"]);
    let entry = format!("cache/entries/{}", key(&result, "nokd@20"));
    let whole = workspace.entry_files("cache");
    let run = ["run", "tiny.toml", "nokd@20"];
    let commands =
        [&run[..], &["cache", "verify"], &["plan", "tiny.toml"], &["status", "tiny.toml"]];
    let files = ["weights.safetensors", "metrics.jsonl", "manifest.json", "manifest.blake3"];
    let paths = files.map(|file| format!("{entry}/{file}"));
    let mut met = 0;
    for path in paths.iter().chain([&entry]) {
        for (inject, message) in FAULTS {
            for args in commands {
                let (output, hit) = injected(&workspace, path, inject, args);
                let at = format!("{inject} at {path} in {args:?}: {output:?}");
                assert!(!workspace.path("cache/damaged").exists(), "{at}");
                let told = output.stdout + &output.stderr;
                assert!(!told.contains("damaged ("), "{at}");
                // A later call may only ask how much there is to read, or what explains a plan.
                let may_pass = inject.contains("when") && output.code == 0;
                if hit && !may_pass {
                    met += 1;
                    assert_eq!(output.code, 4, "{at}");
                    assert!(told.contains(&format!("cannot read {path}: {message}")), "{at}");
                } else {
                    assert_eq!(output.code, 0, "{at}");
                }
            }
        }
    }
    println!("{met} calls failed, none is damage");
    assert!(met > 60, "{met}");
    // A signal that comes while it reads is none.
    let (output, hit) = injected(&workspace, &paths[0], "read:error=EINTR:when=1", &run);
    assert!(hit && output.code == 0, "{output:?}");
    assert_eq!(workspace.trained(&["tiny.toml", "nokd@20"]), [""; 0]);
    assert!(workspace.entry_files("cache") == whole);
}

/// One entry that cannot be read is told, and the others are checked and listed.
#[test]
fn verify_goes_on_after_a_bad_sector() {
    if !may_trace() {
        return;
    }
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20", "nokd@31"]);
    let path = format!("cache/entries/{}/manifest.json", key(&result, "nokd@20"));
    for (args, line) in [
        (["cache", "verify"], "1 whole, 0 damaged, 1 unreadable\n"),
        (["cache", "list"], "unread "),
    ] {
        let (output, hit) = injected(&workspace, &path, "read:error=EIO", &args);
        assert!(hit && output.stdout.contains(line), "{output:?}");
        assert!(output.stdout.contains(&format!("cannot read {path}: Input/output")), "{output:?}");
        assert_eq!(output.code, if args[1] == "verify" { 4 } else { 0 }, "{output:?}");
    }
}

#[test]
fn a_disk_that_fails_costs_no_checkpoint() {
    if !may_trace() {
        return;
    }
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20"]);
    let key: Key = key(&result, "nokd@20").parse().unwrap();
    let store = Store::new(workspace.path("cache"));
    fs::remove_dir_all(workspace.path("cache/entries")).unwrap();
    let keep = |bytes: &[u8]| {
        let lock = lock(&store, &key);
        store.write_checkpoint(&lock, bytes).unwrap();
        assert_eq!(store.read_checkpoint(&key).unwrap(), StoredCheckpoint::Whole(bytes.to_vec()));
    };
    keep(b"what an hour's training has come to");
    let path = format!("cache/checkpoints/{key}");
    let there = fs::read(workspace.path(&path)).unwrap();
    for (inject, message) in FAULTS.into_iter().filter(|(inject, _)| !inject.contains("when")) {
        let (output, hit) = injected(&workspace, &path, inject, &["run", "tiny.toml", "nokd@20"]);
        assert!(hit && output.code == 4, "{inject}: {output:?}");
        let told = format!("cannot read {path}: {message}");
        assert!(output.stderr.contains(&told), "{inject}: {output:?}");
        assert!(there == fs::read(workspace.path(Path::new(&path))).unwrap(), "{inject}");
    }
}
