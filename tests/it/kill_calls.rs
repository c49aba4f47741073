//! Killed at any of its calls that change the file system, takd loses no entry and leaves no wrong one.
//!
//! `kill` kills at random moments; here `strace` ends a process as it makes its n-th call of a kind,
//! for each kind and each n, and the process that comes after it at another such call. Some of them
//! are in every test run, `TAKD_EVERY_CALL=1` takes all.

use crate::workspace::{PIPELINE, Workspace, key};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};
use takd::{
    key::Key,
    store::{Depth, Lookup, Store},
};

/// Calls that change what other processes see, or that see to it that a power cut leaves it.
const CALLS: [&str; 7] = ["mkdir", "write", "fsync", "rename", "unlink", "unlinkat", "rmdir"];

/// Trains a student, for which it asks its teacher for logits, and measures it.
const RUN: [&str; 7] =
    ["tiny.toml", "blkd@20", "test/blkd@20", "--jobs", "1", "--checkpoint-every", "0"];

/// A command to kill, and the cache that it finds.
struct Scene {
    name: &'static str,
    args: Vec<&'static str>,
    start: &'static str,
    /// Entries that must be there after any kill.
    kept: BTreeSet<Key>,
    /// The entry that is damaged at the start.
    damaged: Option<Key>,
}

struct Stage {
    workspace: Workspace,
    store: Store,
    /// Each entry's files in a run that was never stopped.
    whole: BTreeMap<PathBuf, Vec<u8>>,
    kills: usize,
    /// What the kills hit: kinds of calls on kinds of places.
    hit: BTreeSet<String>,
}

impl Stage {
    fn new() -> (Self, [Scene; 5]) {
        let workspace = Workspace::new();
        let text = PIPELINE.replace("[20, 31]", "[20]").replace("epochs     = 2", "epochs     = 6");
        workspace.write("tiny.toml", &text);
        workspace.write("less.toml", text.split("[train.nokd]").next().unwrap());
        workspace.run(&["less.toml", "--cache", "teacher"]);
        let result = workspace.run(&[&RUN[..], &["--cache", "whole"]].concat());
        let student: Key = key(&result, "blkd@20").parse().unwrap();
        copy(&workspace, "whole", "spoilt");
        let weights = format!("spoilt/entries/{student}/weights.safetensors");
        workspace.write(&weights, "x");
        // A run that was killed when it had put a new entry in place and not yet removed the old one.
        copy(&workspace, "whole", "replaced");
        fs::create_dir_all(workspace.path("replaced/staging")).unwrap();
        let old = format!("replaced/staging/{student}.elsewhere.7.0.old");
        copy(&workspace, &format!("whole/entries/{student}"), &old);

        let keys = |cache: &str| Store::new(workspace.path(cache)).keys().unwrap();
        let run = |more: &[&'static str]| [&["run"], &RUN[..], more].concat();
        let scene = |name, args, start, kept: &str| {
            let kept = keys(kept).into_iter().collect();
            Scene { name, args, start, kept, damaged: None }
        };
        let mut scenes = [
            scene("a first run", run(&[]), "teacher", "teacher"),
            scene("a forced run", run(&["--force", "blkd"]), "whole", "whole"),
            scene("a run that meets damage", run(&[]), "spoilt", "whole"),
            scene("gc", vec!["cache", "gc", "less.toml"], "whole", "teacher"),
            scene("gc after a killed run", vec!["cache", "gc", "less.toml"], "replaced", "teacher"),
        ];
        scenes[2].damaged = Some(student);
        scenes[2].kept.remove(&student);
        let whole = workspace.entry_files("whole").into_iter().collect();
        let store = Store::new(workspace.path("cache"));
        (Self { workspace, store, whole, kills: 0, hit: BTreeSet::new() }, scenes)
    }

    /// Runs takd; `strace` writes the calls that it makes, and may do more.
    fn strace(&self, args: &[&str], options: &[&str]) -> (bool, String) {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-y", "-o", "calls"]).args(options);
        strace.arg(env!("CARGO_BIN_EXE_takd")).args(args).current_dir(self.workspace.path(""));
        let output = strace.env_remove("TAKD_CACHE").env("NO_COLOR", "1").output().unwrap();
        let calls = fs::read_to_string(self.workspace.path("calls")).unwrap();
        (output.status.success(), calls)
    }

    /// Where to kill: each kind of call, as often as the thread makes it that makes the most.
    fn points(&self, scene: &Scene) -> Vec<(&'static str, usize)> {
        copy(&self.workspace, scene.start, "cache");
        let (ended, calls) =
            self.strace(&scene.args, &["-e", &format!("trace={}", CALLS.join(","))]);
        assert!(ended, "{}: {calls}", scene.name);
        let mut points = Vec::new();
        for call in CALLS {
            let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
            for line in calls.lines().filter(|line| line.contains(&format!(" {call}("))) {
                *threads.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
            }
            points.extend((1..=threads.into_values().max().unwrap_or(0)).map(|nth| (call, nth)));
        }
        points
    }

    /// Kills at the `nth` of these calls of one of the threads; whether it came so far.
    fn kill(&mut self, args: &[&str], (call, nth): (&str, usize)) -> bool {
        let (trace, inject) =
            (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
        let (ended, calls) = self.strace(args, &["-e", &trace, "-e", &inject]);
        if !ended {
            assert!(calls.contains("+++ killed by SIGKILL +++"), "{args:?}: {calls}");
            let last = calls.lines().rev().find(|line| line.ends_with("= ?")).unwrap_or_default();
            let place = last.split("cache/").nth(1).unwrap_or("elsewhere");
            let place = place.split(['/', '"', '>', ' ']).next().unwrap_or_default();
            self.hit.insert(format!("{call} {place}"));
            self.kills += 1;
        }
        !ended
    }

    /// Nothing that must be there is gone, and nothing that is there is wrong.
    fn look(&self, scene: &Scene, at: &str) {
        for key in scene.kept.iter().copied().chain(self.store.keys().unwrap()) {
            // Locking a key is what a run does before it looks.
            drop(self.store.lock(&key, &mut |_| false).unwrap().unwrap());
            match self.store.find(&key, Depth::Content).unwrap() {
                Lookup::Whole(_) => {}
                Lookup::Damaged(_) if scene.damaged == Some(key) => {}
                Lookup::Missing if !scene.kept.contains(&key) => {}
                other => panic!("{at}: {key}: {other:?}"),
            }
        }
    }

    /// The next run ends with the bytes of one that was never stopped, and nothing is left behind.
    fn finish(&self, scene: &Scene, at: &str) {
        let output = self.workspace.takd(&[&["run"], &RUN[..]].concat());
        assert_eq!(output.code, 0, "{at}: {output:?}");
        let there: BTreeMap<_, _> = self.workspace.entry_files("cache").into_iter().collect();
        for (path, bytes) in &self.whole {
            // Students that are there do not ask for logits that gc has taken.
            let unasked = scene.name.starts_with("gc") && path.ends_with("logits.safetensors");
            let same = there.get(path).map_or(unasked, |found| found == bytes);
            assert!(same, "{at}: {}", path.display());
        }
        assert!(there.keys().all(|path| self.whole.contains_key(path)), "{at}");
        let names = |folder: &str| {
            let folder = self.workspace.path("cache").join(folder);
            fs::read_dir(folder).into_iter().flatten().count()
        };
        assert_eq!(names("damaged"), usize::from(scene.damaged.is_some()), "{at}: set aside once");
        self.workspace.ok(&["cache", "gc", "tiny.toml"]);
        let left: usize = ["staging", "checkpoints", "progress", "damaged"].map(names).iter().sum();
        assert_eq!(left, 0, "{at}: nothing is left behind");
    }
}

fn copy(workspace: &Workspace, from: &str, to: &str) {
    let (from, to) = (workspace.path(from), workspace.path(to));
    let _ = fs::remove_dir_all(&to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn a_kill_at_any_call_does_no_harm() {
    if !Command::new("strace").args(["-f", "true"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: no strace, or it may not trace");
        return;
    }
    let step = if std::env::var_os("TAKD_EVERY_CALL").is_some() { 1 } else { 9 };
    let (mut stage, scenes) = Stage::new();
    for scene in &scenes {
        let points = stage.points(scene);
        // Few calls stand between the old entry and none: a part of the points must meet them.
        let step = if scene.start == "replaced" { step.min(3) } else { step };
        for (place, &point) in points.iter().enumerate().step_by(step) {
            copy(&stage.workspace, scene.start, "cache");
            let at = format!("{} killed at {point:?}", scene.name);
            stage.kill(&scene.args, point);
            stage.look(scene, &at);
            // What comes after it is killed too, elsewhere.
            let next = points[(place * 7 + 3) % points.len()];
            let at = format!("{at}, then at {next:?}");
            stage.kill(&scene.args, next);
            stage.look(scene, &at);
            stage.finish(scene, &at);
        }
    }
    println!("{} kills, at {}: {:?}", stage.kills, stage.hit.len(), stage.hit);
    assert!(stage.kills > 10, "{}", stage.kills);
}
