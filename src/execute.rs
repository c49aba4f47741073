//! Walks a plan: runs what is ready, side by side, and says what became of every step.
//!
//! What a step does is a [`Runner`]'s business, so that order, failure and stopping are tested
//! without training anything.

use crate::plan::{Action, Plan, Step};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Does the work of one step.
pub trait Runner: Sync {
    /// Makes the step's artifact on `threads` threads.
    ///
    /// # Errors
    /// [`Failure`], which stops what depends on the step.
    fn run(&self, place: usize, step: &Step, threads: usize) -> Result<Made, Failure>;
}

/// How an artifact came about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Made {
    /// By this run, in so many seconds.
    Here(f64),
    /// By another process while this one waited for it.
    Elsewhere,
}

/// Why a step gave no artifact.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The run was told to stop.
    #[error("stopped")]
    Stopped,
    /// Something went wrong; a sentence.
    #[error("{0}")]
    Failed(String),
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Its artifact was there.
    Reused,
    /// Nothing needed it.
    Skipped,
    /// Its artifact is there now.
    Made(Made),
    /// It failed.
    Failed(String),
    /// The step at this place, on which it depends, gave nothing.
    Blocked(usize),
    /// The run ended before its turn.
    NotStarted,
}

/// Something that people may want to see as it happens. Steps are given by their place.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step begins.
    Started {
        /// Which.
        step: usize,
    },
    /// A training has come somewhere within an epoch; told a few times a second.
    Samples {
        /// Which.
        step: usize,
        /// The epoch in work, counted from 1.
        epoch: usize,
        /// How many there will be.
        epochs: usize,
        /// Share of the epoch's samples that have been learned from, in [0, 1].
        share: f64,
        /// Training samples a second, in this epoch so far.
        samples_per_second: f64,
    },
    /// A training has finished an epoch.
    Epoch {
        /// Which.
        step: usize,
        /// Counted from 1.
        epoch: usize,
        /// How many there will be.
        epochs: usize,
        /// Mean training loss of the epoch.
        loss: f64,
        /// Top-1 accuracy on the judging split, where there is one.
        accuracy: Option<f64>,
        /// Training samples a second.
        samples_per_second: f64,
    },
    /// A step has ended.
    Ended {
        /// Which.
        step: usize,
        /// How.
        fate: Fate,
    },
    /// Something worth a line: who is waited for, what was damaged.
    Note(String),
}

/// Hears of events, from several threads.
pub trait Observer: Sync {
    /// Called as it happens; must not block for long.
    fn event(&self, event: &Event);
}

/// How a plan is walked.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most steps at a time, at least 1.
    pub jobs: usize,
    /// Threads that the running steps share.
    pub threads: usize,
    /// Whether to go on with what does not depend on a failed step.
    pub keep_going: bool,
}

struct State {
    fates: Vec<Option<Fate>>,
    waiting: Vec<usize>,
    ready: BTreeSet<usize>,
    running: usize,
    halted: bool,
}

/// Runs `plan`; what became of each step, in its order.
pub fn execute(
    plan: &Plan,
    runner: &dyn Runner,
    observer: &dyn Observer,
    limits: Limits,
    stop: &AtomicBool,
) -> Vec<Fate> {
    let steps = &plan.steps;
    let runs = |place: usize| matches!(steps[place].action, Action::Run(_));
    let mut children = vec![Vec::new(); steps.len()];
    let mut waiting = vec![0; steps.len()];
    for place in (0..steps.len()).filter(|&place| runs(place)) {
        for &parent in steps[place].parents.iter().filter(|&&parent| runs(parent)) {
            children[parent].push(place);
            waiting[place] += 1;
        }
    }
    let fates = steps.iter().map(|step| match step.action {
        Action::Reuse => Some(Fate::Reused),
        Action::Skip => Some(Fate::Skipped),
        Action::Run(_) => None,
    });
    let ready = (0..steps.len()).filter(|&place| runs(place) && waiting[place] == 0).collect();
    let state = State { fates: fates.collect(), waiting, ready, running: 0, halted: false };
    let walk = Walk { state: Mutex::new(state), changed: Condvar::new(), children, limits, stop };
    std::thread::scope(|scope| {
        for _ in 0..limits.jobs.max(1).min(plan.running().count()) {
            scope.spawn(|| walk.work(steps, runner, observer));
        }
    });
    let state = walk.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.fates.into_iter().map(|fate| fate.unwrap_or(Fate::NotStarted)).collect()
}

struct Walk<'a> {
    state: Mutex<State>,
    changed: Condvar,
    children: Vec<Vec<usize>>,
    limits: Limits,
    stop: &'a AtomicBool,
}

impl Walk<'_> {
    fn work(&self, steps: &[Step], runner: &dyn Runner, observer: &dyn Observer) {
        while let Some((place, threads)) = self.next() {
            observer.event(&Event::Started { step: place });
            let run = || runner.run(place, &steps[place], threads);
            // A panic in one step must not take the others' work with it.
            let fate = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Ok(made)) => Fate::Made(made),
                Ok(Err(Failure::Stopped)) => Fate::NotStarted,
                Ok(Err(Failure::Failed(problem))) => Fate::Failed(problem),
                Err(panic) => Fate::Failed(format!("internal error: {}", message(&*panic))),
            };
            self.end(place, fate, observer);
        }
    }

    /// The next step to run and its share of the threads, once there is one; `None` at the end.
    fn next(&self) -> Option<(usize, usize)> {
        let mut state = self.lock();
        loop {
            if state.halted || self.stop.load(Ordering::Relaxed) {
                self.changed.notify_all();
                return None;
            }
            if let Some(place) = state.ready.pop_first() {
                state.running += 1;
                let side_by_side = (state.running + state.ready.len()).min(self.limits.jobs.max(1));
                return Some((place, (self.limits.threads / side_by_side).max(1)));
            }
            if state.running == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self, place: usize, fate: Fate, observer: &dyn Observer) {
        let mut ended = vec![(place, fate.clone())];
        let mut state = self.lock();
        state.running -= 1;
        if matches!(fate, Fate::Made(_)) {
            for &child in &self.children[place] {
                state.waiting[child] -= 1;
                if state.waiting[child] == 0 {
                    state.ready.insert(child);
                }
            }
        } else {
            state.halted |= !self.limits.keep_going;
            if matches!(fate, Fate::Failed(_)) {
                ended.extend(self.block(place, &state));
            }
        }
        for (place, fate) in &ended {
            state.fates[*place] = Some(fate.clone());
        }
        drop(state);
        self.changed.notify_all();
        for (step, fate) in ended {
            observer.event(&Event::Ended { step, fate });
        }
    }

    /// Everything that cannot run because `root` failed.
    fn block(&self, root: usize, state: &State) -> Vec<(usize, Fate)> {
        let mut blocked = BTreeSet::new();
        let mut open = self.children[root].clone();
        while let Some(place) = open.pop() {
            if state.fates[place].is_none() && blocked.insert(place) {
                open.extend(&self.children[place]);
            }
        }
        blocked.into_iter().map(|place| (place, Fate::Blocked(root))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Runners run outside the lock, so a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
