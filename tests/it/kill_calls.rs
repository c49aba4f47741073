//! Killed at any of its calls that change the file system, takd loses no entry and leaves no wrong one.
//!
//! `kill` kills at random moments; here `strace` ends a process as it makes its n-th call of a kind,
//! for each kind and each n, and the process that comes after it at another such call. Some of them
//! are in every test run, `TAKD_EVERY_CALL=1` takes all.

use crate::{
    disk_errors::may_trace,
    locks::lock,
    workspace::{PIPELINE, Workspace, key},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::Command,
};
use takd::{
    key::Key,
    store::{Depth, Lookup, Store},
};
use tempfile::TempDir;

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

/// What the cache lies on.
enum Ground {
    /// One file system.
    Plain,
    /// An overlay over where it starts from, as in a container.
    Overlay,
    /// Entries are staged on another file system.
    Two(TempDir),
}

struct Stage {
    workspace: Workspace,
    ground: Ground,
    store: Store,
    /// Each entry's files in a run that was never stopped.
    whole: BTreeMap<PathBuf, Vec<u8>>,
    kills: usize,
    /// What the kills hit: kinds of calls on kinds of places.
    hit: BTreeSet<String>,
}

impl Stage {
    fn new(ground: Ground) -> (Self, [Scene; 5]) {
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
            scene("gc", vec!["cache", "gc", "less.toml", "--yes"], "whole", "teacher"),
            scene(
                "gc after a killed run",
                vec!["cache", "gc", "less.toml", "--yes"],
                "replaced",
                "teacher",
            ),
        ];
        scenes[2].damaged = Some(student);
        scenes[2].kept.remove(&student);
        let whole = workspace.entry_files("whole").into_iter().collect();
        let store = Store::new(workspace.path("cache"));
        (Self { workspace, ground, store, whole, kills: 0, hit: BTreeSet::new() }, scenes)
    }

    /// Lays out the cache that a scene begins with.
    fn lay(&self, scene: &Scene) {
        let start = scene.start;
        let script = match &self.ground {
            Ground::Plain => return copy(&self.workspace, start, "cache"),
            Ground::Overlay => format!(
                "umount cache; rm -rf upper work; mkdir -p cache upper work
                exec mount -t overlay -o userxattr,lowerdir={start},upperdir=upper,workdir=work none cache"
            ),
            Ground::Two(other) => {
                copy(&self.workspace, start, "cache");
                let there = other.path().join("staging");
                format!(
                    "mkdir -p cache/staging; rm -rf {there:?}; mv cache/staging {there:?}
                    exec ln -s {there:?} cache/staging"
                )
            }
        };
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", &script]).current_dir(self.workspace.path("")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
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
        self.lay(scene);
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
            drop(lock(&self.store, &key));
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
        // What is copied there before it is removed here may be there twice after a kill.
        let aside = names("damaged").min(match self.ground {
            Ground::Overlay => 1,
            Ground::Plain | Ground::Two(_) => usize::MAX,
        });
        assert_eq!(aside, usize::from(scene.damaged.is_some()), "{at}: set aside once");
        self.workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]);
        let left: usize = ["staging", "checkpoints", "progress", "damaged"].map(names).iter().sum();
        assert_eq!(left, 0, "{at}: nothing is left behind");
        assert_eq!(names("entries"), self.store.keys().unwrap().len(), "{at}: nothing but entries");
    }
}

fn copy(workspace: &Workspace, from: &str, to: &str) {
    let (from, to) = (workspace.path(from), workspace.path(to));
    let _ = fs::remove_dir_all(&to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn a_kill_at_any_call_does_no_harm() {
    if may_trace() {
        kills(Ground::Plain);
    }
}

#[test]
fn a_kill_at_any_call_does_no_harm_on_two_file_systems() {
    let device = |path: &str| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        println!("skipped: no /dev/shm");
        return;
    };
    let here = tempfile::tempdir().unwrap();
    if device(&here.path().to_string_lossy()) == device("/dev/shm") {
        println!("skipped: the temporary folder and /dev/shm are one file system");
    } else if may_trace() {
        kills(Ground::Two(other));
    }
}

/// The test below calls this one again in a namespace where it may mount.
const MAY_MOUNT: &str = "TAKD_TEST_MAY_MOUNT";

#[test]
fn a_kill_at_any_call_does_no_harm_on_an_overlay() {
    if std::env::var_os(MAY_MOUNT).is_some() {
        return kills(Ground::Overlay);
    }
    if !may_trace() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let may = "mkdir lower upper work top
        mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work none top";
    let unshare = ["-rm", "sh", "-ec", may];
    let mut mount = Command::new("unshare");
    let may = mount.args(unshare).current_dir(folder.path()).output();
    if !may.is_ok_and(|output| output.status.success()) {
        println!("skipped: no overlay may be mounted in a user namespace here");
        return;
    }
    let name = "kill_calls::a_kill_at_any_call_does_no_harm_on_an_overlay";
    let mut again = Command::new("unshare");
    again.arg("-rm").arg(std::env::current_exe().unwrap()).args([name, "--exact", "--nocapture"]);
    let output = again.env(MAY_MOUNT, "1").output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    println!("{told}");
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

fn kills(ground: Ground) {
    let step = if std::env::var_os("TAKD_EVERY_CALL").is_some() { 1 } else { 9 };
    let (mut stage, scenes) = Stage::new(ground);
    for scene in &scenes {
        let points = stage.points(scene);
        // Few calls stand between the old entry and none: a part of the points must meet them.
        let step = if scene.start == "replaced" { step.min(3) } else { step };
        // So is what is removed file by file where it could not be renamed.
        let in_place = !matches!(stage.ground, Ground::Plain);
        let taken = |place: usize, point: &(&str, usize)| {
            place.is_multiple_of(step)
                || in_place && point.0 == "unlinkat" && place.is_multiple_of(step.min(2))
        };
        for (place, &point) in points.iter().enumerate().filter(|(place, p)| taken(*place, p)) {
            stage.lay(scene);
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
