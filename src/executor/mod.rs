//! Walks a plan: runs what is ready, in parallel, and says what became of every step.
//!
//! What a step does is a [`Runner`]'s business, so that order, failure and stopping are tested
//! without training anything. Which step comes next and who has how many threads is decided by a
//! [`Walk`], which knows neither threads nor clocks: tests walk whole plans in no time.

mod costs;
mod crowds;
mod makespan;
mod measuring;
mod step_error;
mod walk;
mod width;
mod workers;

use crate::{history::EpochRecord, key::Key, plan::Step};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Duration;

pub use costs::{Costs, Profile};
pub use makespan::{Rest, makespan, remaining};
pub use measuring::Measuring;
pub use step_error::{Retry, StepError, StepErrorKind};
pub use walk::{Next, Walk};
pub use width::Width;
pub use workers::execute;

/// Does the work of one step.
pub trait Runner: Sync {
    /// Makes the step's artifact. `begin` is called once nothing keeps the step from running, and
    /// gives its share of the threads.
    ///
    /// # Errors
    /// [`StepError`], which stops what depends on the step.
    fn run(
        &self,
        index: usize,
        step: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError>;
}

/// The threads that a running step may use: they change as others begin and end.
#[derive(Debug)]
pub struct Share(AtomicUsize);

impl Share {
    pub(crate) fn new(threads: usize) -> Self {
        Self(AtomicUsize::new(threads))
    }

    /// How many there are now, at least 1. No result depends on it.
    pub fn threads(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, threads: usize) {
        self.0.store(threads, Ordering::Relaxed);
    }
}

/// Time after which a step that another process of this machine makes is tried again.
pub const PATIENCE: Duration = Duration::from_millis(200);

/// How an artifact came about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Done {
    /// By this run, in so many seconds.
    Here(f64),
    /// By another process while this one waited for it.
    Elsewhere,
}

/// What came of a try to run a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attempt {
    /// The artifact is there.
    Done(Done),
    /// Another process, or another step, is making what this one makes or needs: it comes again later, when others
    /// had their turn.
    Busy(Pause),
}

/// How long a step stays away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pause {
    /// Until it is tried again.
    pub time: Duration,
    /// What it needs and others make, if that is not its own key: of the steps that wait behind one key a [`Walk`] tries
    /// one alone.
    pub behind: Option<Key>,
}

impl From<Duration> for Pause {
    fn from(time: Duration) -> Self {
        Self { time, behind: None }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Its artifact was there.
    Reused,
    /// Nothing needed it.
    Skipped,
    /// Its artifact is there now.
    Done(Done),
    /// It failed. Boxed: very many steps have a status, and few fail.
    Failed(Box<StepError>),
    /// The step at this index, on which it depends, gave nothing.
    Blocked(usize),
    /// The run ended before its turn.
    NotStarted,
}

/// A plan of very many steps has one for each.
const _: () = assert!(size_of::<Option<Status>>() <= 2 * size_of::<f64>());

/// A pass over images that learns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It is all of the step.
    Measurement,
    /// A student's step begins with it.
    TeacherLogits,
}

/// Something that people may want to see as it happens. Steps are given by their index.
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
        /// How many there will be.
        epochs: usize,
        /// What it gave.
        record: EpochRecord,
        /// Training samples a second.
        samples_per_second: f64,
    },
    /// A pass over images that learns nothing has come somewhere; told a few times a second.
    Passed {
        /// Which step it is for.
        step: usize,
        /// What it makes.
        what: Pass,
        /// Share of the images, in [0, 1].
        share: f64,
        /// Images a second.
        samples_per_second: f64,
    },
    /// A step has measured a network.
    Measured {
        /// Which.
        step: usize,
        /// Top-1, as a share.
        accuracy: f64,
    },
    /// A step has ended.
    Ended {
        /// Which.
        step: usize,
        /// How.
        status: Status,
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
#[derive(Clone)]
pub struct Limits {
    /// Most steps at a time, at least 1.
    pub jobs: usize,
    /// What finds out whether fewer at a time do more, unless it is said how many.
    pub width: Option<Arc<Width>>,
    /// Threads that the running steps share; the more waits for a step, the more it gets.
    pub threads: usize,
    /// Whether to go on with what does not depend on a failed step.
    pub keep_going: bool,
    /// Which of steps that come alike comes first: the plan's first or, by a number of each machine's own where many share
    /// a plan, another one for each of them, so that they seldom meet.
    pub salt: Option<u64>,
}
