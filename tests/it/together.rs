//! Many processes use one cache, and none spoils another's work.

use crate::{
    keys::parse,
    locks::lock,
    running::Running,
    store::{outcome, provenance},
    workspace::{PIPELINE, Workspace},
};
use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};
use takd::{
    graph::Graph,
    key::keys,
    store::{Depth, Lookup, Staging, Store},
};

/// Overlapping parts of one pipeline.
const PARTS: [&[&str]; 8] = [
    &[],
    &["takd"],
    &["blkd", "nokd"],
    &["test/*"],
    &["assistant"],
    &["takd@31", "test/takd"],
    &["teacher"],
    &[],
];

#[test]
fn eight_runs_at_once_make_each_key_once() {
    let workspace = Workspace::new();
    let start = |part: &&[&str]| -> Running {
        let mut command = workspace.command(&[&["run", "tiny.toml", "--json"], *part].concat());
        Running::new(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    };
    let runs: Vec<Running> = PARTS.iter().map(start).collect();
    let going = AtomicBool::new(true);
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    thread::scope(|scope| {
        // gc finds the cache in use, or everything in it kept; it never takes a running one's files.
        scope.spawn(|| {
            while going.load(Ordering::Relaxed) {
                let output = workspace.takd(&["cache", "gc", "tiny.toml", "--yes"]);
                let in_use = output.code == 4 && output.stderr.contains("in use by a run");
                assert!(output.code == 0 || in_use, "{output:?}");
            }
        });
        for run in runs {
            let output = run.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            for step in result["steps"].as_array().unwrap() {
                if step["status"] == "done" {
                    *made.entry(step["key"].as_str().unwrap().to_owned()).or_default() += 1;
                }
            }
        }
        going.store(false, Ordering::Relaxed);
    });
    assert_eq!(made.len(), 20, "ten trainings and ten measurements");
    assert!(made.values().all(|&times| times == 1), "{made:?}");
    assert_eq!(workspace.ok(&["cache", "verify"]), "24 whole, 0 damaged\n", "and four logits");
}

/// A machine that lost its lock, on a shared file system, still writes.
#[test]
fn two_writers_of_one_key_leave_one_whole_entry() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("cache"));
    let pipeline = parse(PIPELINE);
    let (inputs, key) = keys(&Graph::new(&pipeline)).swap_remove(0);
    thread::scope(|scope| {
        for name in ["one", "two"] {
            let (store, inputs) = (&store, &inputs);
            // Locks of their own: neither knows of the other.
            let locks = Store::new(folder.path().join(name));
            scope.spawn(move || {
                let lock = lock(&locks, &key);
                for _ in 0..50 {
                    let mut staging = Staging::new(store, &lock).unwrap();
                    staging.write("file", name.as_bytes()).unwrap();
                    staging.commit(inputs.clone(), outcome(), provenance()).unwrap();
                }
            });
        }
        for _ in 0..100 {
            if let Lookup::Whole(entry) = store.find(&key, Depth::Content).unwrap()
                && let Ok(bytes) = entry.read("file")
            {
                assert!([&b"one"[..], b"two"].contains(&&*bytes));
            }
        }
    });
    assert!(matches!(store.find(&key, Depth::Content).unwrap(), Lookup::Whole(_)));
    assert_eq!(store.keys().unwrap(), [key]);
    assert_eq!(std::fs::read_dir(store.root().join("staging")).unwrap().count(), 0);
}

#[test]
fn an_entry_that_was_moved_away_for_its_successor_comes_back() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "nokd@20"]);
    let store = Store::new(workspace.path("cache"));
    let key = store.keys().unwrap()[0];
    // What a process leaves that is killed between the two renames of a replacement.
    let staging = workspace.path("cache/staging");
    std::fs::create_dir_all(&staging).unwrap();
    let place = workspace.path("cache/entries").join(key.to_string());
    let old = staging.join(format!("{key}.elsewhere.7.0.old"));
    for gc in [false, true] {
        std::fs::rename(&place, &old).unwrap();
        if gc {
            workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]);
        } else {
            drop(lock(&store, &key));
        }
        assert!(matches!(store.find(&key, Depth::Content).unwrap(), Lookup::Whole(_)));
        assert!(!old.exists());
    }
}

/// Commands that only read keep gc away too.
#[test]
fn gc_waits_until_nobody_reads() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "nokd@20"]);
    // So many tasks that gc comes by, again and again, while a command reads.
    let seeds: Vec<String> = (0..100_000).map(|seed| seed.to_string()).collect();
    workspace.write("slow.toml", PIPELINE.replace("20, 31", &seeds.join(", ")));
    for reader in ["plan", "report", "status", "why"] {
        let node: &[&str] = if reader == "why" { &["nokd@7"] } else { &[] };
        let mut command = workspace.command(&[&[reader, "slow.toml"], node].concat());
        let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
        let gc = || workspace.takd(&["cache", "gc", "tiny.toml", "--yes"]);
        // It may not have come so far yet.
        let deadline = Instant::now() + Duration::from_secs(60);
        while gc().code == 0 {
            assert!(run.try_wait().unwrap().is_none(), "{reader} ended");
            assert!(Instant::now() < deadline, "gc does not mind {reader}");
        }
        let output = gc();
        assert!(output.code == 4 && output.stderr.contains("in use by a run"), "{output:?}");
        drop(run);
        assert_eq!(gc().code, 0, "{reader}");
    }
}
