//! Killed at any moment, takd loses no entry, serves no wrong one, and ends with the same bits.
//!
//! A few kills are part of every test run; `TAKD_KILLS=200 cargo test --test it many_kills -- \
//! --ignored --nocapture` does as many as one likes and reports. `kill_calls` chooses its moments by
//! what the victim asks of the system. See `docs/reliability.md`.

use crate::{
    running::Running,
    workspace::{PIPELINE, Workspace},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};
use takd::{
    key::Key,
    rng::{Purpose, Stream},
    store::{Depth, Lookup, Store},
};

/// What the victim is doing when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Anything.
    Any,
    /// Writing a checkpoint.
    Checkpoint,
    /// Writing an entry.
    Entry,
    /// Replacing an entry by force.
    Replacement,
    /// Removing entries.
    Gc,
    /// Writing, while two others work on the same nodes or wait for it.
    Crowd,
}

/// A round.
const MOMENTS: [Moment; 10] = [
    Moment::Any,
    Moment::Checkpoint,
    Moment::Entry,
    Moment::Any,
    Moment::Checkpoint,
    Moment::Entry,
    Moment::Replacement,
    Moment::Gc,
    Moment::Any,
    Moment::Crowd,
];

/// How large the networks are: what is written takes a while, or is in one page.
#[derive(Clone, Copy)]
enum Size {
    Small,
    Large,
}

/// What must not happen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Harm {
    /// Entries that were whole before a kill and are gone after it.
    lost: Vec<(Moment, Key)>,
    /// Entries that are there and not whole.
    corrupt: Vec<(Moment, String)>,
    /// Files whose bytes are not those of a run that was never stopped.
    differing: Vec<(Moment, PathBuf)>,
    /// Files that are missing when everything has run.
    missing: Vec<PathBuf>,
}

struct Killer {
    workspace: Workspace,
    store: Store,
    random: Stream,
    /// Each entry's files in a run that was never stopped.
    whole: BTreeMap<PathBuf, Vec<u8>>,
    /// What gc keeps.
    kept: BTreeSet<Key>,
    /// What gc has taken since the cache was empty, by right.
    taken: BTreeSet<Key>,
    /// The last kill's.
    moment: Moment,
    harm: Harm,
    /// Kills: those that met their victim alive.
    kills: BTreeMap<Moment, usize>,
    /// Trainings that went on from a checkpoint.
    resumed: usize,
    /// Caches that were brought to their end.
    finished: usize,
    /// What a run takes that nothing stops.
    whole_run: Duration,
}

const RUN: [&str; 4] = ["run", "tiny.toml", "--checkpoint-every", "0"];

impl Killer {
    fn new(seed: u64, size: Size, epochs: usize) -> Self {
        let workspace = Workspace::new();
        let (small, large) = ("\"fc8\", \"fc3\"", "\"fc3\"]\n\n[net.small]");
        let nets = match size {
            Size::Small => PIPELINE.to_owned(),
            // A teacher of 800 kB and an assistant of 250 kB; three times that in a checkpoint.
            Size::Large => PIPELINE
                .replace(small, "\"fc2000\", \"fc3\"")
                .replace(large, &format!("\"fc900\", {large}")),
        };
        let text = nets
            .replace("seeds = [20, 31]", "seeds = [20]")
            .replace("epochs     = 2", &format!("epochs     = {epochs}"));
        workspace.write("tiny.toml", &text);
        // What gc keeps: less than is there.
        workspace.write("less.toml", text.split("[distill.assistant]").next().unwrap());
        workspace.run(&["less.toml", "--cache", "kept"]);
        let kept = Store::new(workspace.path("kept")).keys().unwrap().into_iter().collect();
        let started = Instant::now();
        workspace.ok(&[&RUN[..], &["--cache", "whole"]].concat());
        let whole_run = started.elapsed();
        let whole = workspace.entry_files("whole").into_iter().collect();
        Self {
            store: Store::new(workspace.path("cache")),
            workspace,
            random: Stream::new(seed, Purpose::Shuffle, 0, 0),
            whole,
            kept,
            taken: BTreeSet::new(),
            moment: Moment::Any,
            harm: Harm::default(),
            kills: BTreeMap::new(),
            resumed: 0,
            finished: 0,
            whole_run,
        }
    }

    /// Keys of the entries that are whole; others are harm. Locking each key is what a run does
    /// before it looks.
    fn look(&mut self) -> BTreeSet<Key> {
        let mut whole = BTreeSet::new();
        for key in self.store.keys().unwrap() {
            drop(self.store.lock(&key, &mut || true).unwrap());
            match self.store.find(&key, Depth::Content).unwrap() {
                Lookup::Whole(_) => drop(whole.insert(key)),
                Lookup::Damaged(problem) => self.harm.corrupt.push((self.moment, problem)),
                Lookup::OtherVersion(version) => self.harm.corrupt.push((self.moment, version)),
                Lookup::Missing => {}
            }
        }
        whole
    }

    fn compare(&mut self) {
        if self.workspace.path("cache/entries").exists() {
            for (path, bytes) in self.workspace.entry_files("cache") {
                if self.whole.get(&path) != Some(&bytes) {
                    self.harm.differing.push((self.moment, path));
                }
            }
        }
    }

    /// Kills one; whether it still lived.
    fn kill(&mut self, moment: Moment) -> bool {
        if matches!(moment, Moment::Replacement | Moment::Gc) {
            self.workspace.ok(&RUN);
        }
        let before = self.look();
        self.moment = moment;
        let args: Vec<&str> = match moment {
            Moment::Gc => vec!["cache", "gc", "less.toml", "--yes"],
            Moment::Replacement => [&RUN[..], &["--force", "*"]].concat(),
            _ => RUN.to_vec(),
        };
        let mut command = self.workspace.command(&args);
        let told = fs::File::create(self.workspace.path("told")).unwrap();
        let mut child = Running::new(command.stdout(Stdio::null()).stderr(told));
        let others = if moment == Moment::Crowd { 2 } else { 0 };
        let crowd: Vec<Running> = (0..others)
            .map(|_| {
                let mut command = self.workspace.command(&args);
                Running::new(command.stdout(Stdio::null()).stderr(Stdio::piped()))
            })
            .collect();
        let cache = self.workspace.path("cache");
        let (staging, checkpoints) = (cache.join("staging"), cache.join("checkpoints"));
        let wait = match moment {
            Moment::Any => self.random.below(self.whole_run.as_micros() as u64),
            Moment::Gc => {
                let removed = || names(&staging).any(|name| name.starts_with("removed"));
                let skip = self.random.below(8);
                wait_until(&mut child, removed, skip);
                self.random.below(200)
            }
            Moment::Checkpoint => {
                let skip = self.random.below(5);
                wait_until(&mut child, || names(&checkpoints).any(|n| n.contains('.')), skip);
                self.random.below(300)
            }
            Moment::Entry => {
                let skip = self.random.below(3);
                wait_until(&mut child, || names(&staging).next().is_some(), skip);
                self.random.below(1_500)
            }
            Moment::Replacement => {
                let skip = self.random.below(4);
                wait_until(&mut child, || names(&staging).any(|n| n.ends_with(".old")), skip);
                self.random.below(50)
            }
            Moment::Crowd => {
                let own = format!(".{}.", child.id());
                let writes =
                    || names(&staging).chain(names(&checkpoints)).any(|n| n.contains(&own));
                let skip = self.random.below(6);
                wait_until(&mut child, writes, skip);
                self.random.below(500)
            }
        };
        sleep(Duration::from_micros(wait));
        let alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        for other in crowd {
            let output = other.output().unwrap();
            assert!(output.status.success(), "it takes over: {output:?}");
        }
        *self.kills.entry(moment).or_default() += usize::from(alive);
        let told = fs::read_to_string(self.workspace.path("told")).unwrap();
        self.resumed += told.matches("resuming after").count();
        // An entry that was being replaced comes back when its key is locked.
        for key in &before {
            drop(self.store.lock(key, &mut || true).unwrap());
        }
        let after = self.look();
        for &key in before.difference(&after) {
            if moment == Moment::Gc && !self.kept.contains(&key) {
                self.taken.insert(key);
            } else {
                self.harm.lost.push((moment, key));
            }
        }
        self.compare();
        alive
    }

    /// Goes on to the end.
    fn finish(&mut self) {
        let output = self.workspace.takd(&RUN);
        assert_eq!(output.code, 0, "{output:?}");
        self.resumed += output.stderr.matches("resuming after").count();
        self.finished += 1;
        self.look();
        self.compare();
        let there: BTreeSet<PathBuf> =
            self.workspace.entry_files("cache").into_iter().map(|(path, _)| path).collect();
        for path in self.whole.keys().filter(|path| !there.contains(*path)) {
            // A teacher's logits that gc has taken are not made again when its students are there.
            let of_taken = self.taken.iter().any(|key| path.starts_with(key.to_string()));
            if !(of_taken && path.ends_with("logits.safetensors")) {
                self.harm.missing.push(path.clone());
            }
        }
        self.workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]);
        let left = |folder| names(&self.workspace.path("cache").join(folder)).count();
        assert_eq!((left("staging"), left("checkpoints")), (0, 0), "nothing is left behind");
        let next = self.workspace.takd(&RUN);
        assert!(next.stderr.contains("trained 0, measured 0"), "{next:?}");
    }

    /// Kills that many; starts over with an empty cache after each round of moments, and where
    /// there was nothing left to kill.
    fn rampage(&mut self, kills: usize) {
        let mut moments = MOMENTS.iter().cycle();
        while self.kills.values().sum::<usize>() < kills {
            let moment = *moments.next().expect("a cycle has no end");
            let alive = self.kill(moment);
            if moment == MOMENTS[MOMENTS.len() - 1] || !alive && moment != Moment::Gc {
                self.finish();
                fs::remove_dir_all(self.workspace.path("cache")).unwrap();
                self.taken.clear();
            }
        }
        self.finish();
    }
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

/// Returns once something has begun to be so for the `skip`-th time after the first, or the child
/// has ended.
fn wait_until(child: &mut Running, mut so: impl FnMut() -> bool, skip: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut begun, mut was) = (0, false);
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        let now = so();
        begun += u64::from(now && !was);
        was = now;
        if begun > skip {
            return;
        }
    }
}

#[test]
fn a_few_kills_do_no_harm() {
    let mut killer = Killer::new(1, Size::Small, 40);
    killer.rampage(10);
    assert_eq!(killer.harm, Harm::default());
}

#[test]
#[ignore = "minutes: 200 kills, or TAKD_KILLS of them"]
fn many_kills_do_no_harm() {
    let kills = std::env::var("TAKD_KILLS").ok().and_then(|count| count.parse().ok());
    let kills: usize = kills.unwrap_or(200);
    let small = kills / 2;
    for (seed, size, epochs, kills) in
        [(2, Size::Small, 120, small), (3, Size::Large, 30, kills - small)]
    {
        let mut killer = Killer::new(seed, size, epochs);
        killer.rampage(kills);
        let Killer { finished, resumed, kills, harm, .. } = &killer;
        println!("kills {}: {kills:?}", kills.values().sum::<usize>());
        println!("caches brought to their end: {finished}; trainings that went on: {resumed}");
        println!("harm: {harm:?}");
        assert_eq!(*harm, Harm::default());
    }
}
