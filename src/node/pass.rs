//! What a pass over images tells while it runs.

use super::{line::BETWEEN_WRITINGS, runner::Job};
use crate::{
    executor::{Event, Pass},
    store::{Images, Reached},
};
use std::time::{Duration, Instant};

/// Least time between two words to the observer.
const BETWEEN_WORDS: Duration = Duration::from_millis(200);

/// A pass's line to whoever watches it, and in the cache for others.
pub(super) struct PassLine<'a> {
    job: &'a Job<'a>,
    what: Pass,
    images: usize,
    begun: Instant,
    told: Instant,
    written: Option<Instant>,
    /// Images that were there when it began: an earlier run's.
    before: Option<usize>,
}

impl<'a> PassLine<'a> {
    pub fn new(job: &'a Job<'a>, what: Pass, images: usize) -> Self {
        let now = Instant::now();
        Self { job, what, images, begun: now, told: now, written: None, before: None }
    }

    /// So many images are done.
    pub fn at(&mut self, done: usize) {
        let before = *self.before.get_or_insert(done);
        if self.told.elapsed() < BETWEEN_WORDS {
            return;
        }
        self.told = Instant::now();
        let share = done as f64 / self.images.max(1) as f64;
        let samples_per_second = (done - before) as f64 / self.begun.elapsed().as_secs_f64();
        let (step, what) = (self.job.step, self.what);
        let event = Event::Passed { step, what, share, samples_per_second };
        self.job.runner.observer.event(&event);
        if self.written.is_none_or(|last| last.elapsed() >= BETWEEN_WRITINGS) {
            self.written = Some(Instant::now());
            let (of_teacher, of) = (what == Pass::TeacherLogits, self.images);
            let reached = Images { of_teacher, images: done, of, samples_per_second };
            self.job.say_where(Some(Reached::Images(reached)));
        }
    }
}
