//! What a training tells while it runs: the observer of this process, and the cache for others.

use super::runner::Job;
use crate::{
    executor::Event,
    history::EpochRecord,
    store::{Epochs, Reached},
};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Least time between two words to the observer about one epoch.
const BETWEEN_WORDS: Duration = Duration::from_millis(200);

/// Least time between two writings of a step's progress into the cache.
pub(super) const BETWEEN_WRITINGS: Duration = Duration::from_secs(1);

/// A training's line to whoever watches it.
pub(super) struct Line<'a> {
    job: &'a Job<'a>,
    epochs: usize,
    /// The epoch in work, when it was first heard of, and its samples by then.
    begun: Cell<(usize, Instant, usize)>,
    told: Cell<Instant>,
    written: Cell<Option<Instant>>,
    /// Loss and accuracy of the last whole epoch.
    last: Cell<(Option<f64>, Option<f64>)>,
}

impl<'a> Line<'a> {
    pub fn new(job: &'a Job<'a>, epochs: usize) -> Self {
        let now = Instant::now();
        Self {
            job,
            epochs,
            begun: Cell::new((0, now, 0)),
            told: Cell::new(now),
            written: Cell::new(None),
            last: Cell::new((None, None)),
        }
    }

    /// An epoch is whole.
    pub fn epoch(&self, record: &EpochRecord, samples_per_second: f64) {
        let (step, epochs) = (self.job.step, self.epochs);
        let &EpochRecord { epoch, loss, accuracy, .. } = record;
        let event = Event::Epoch { step, epochs, record: *record, samples_per_second };
        self.job.runner.observer.event(&event);
        self.last.set((Some(loss), accuracy));
        self.write(epoch, epoch as f64 / epochs as f64, samples_per_second);
    }

    /// In `epoch`, counted from 1, `samples` of `of` have been learned from.
    pub fn stepped(&self, epoch: usize, samples: usize, of: usize) {
        let (known, since, before) = self.begun.get();
        if known != epoch {
            self.begun.set((epoch, Instant::now(), samples));
            return;
        }
        if samples == of || self.told.get().elapsed() < BETWEEN_WORDS {
            return;
        }
        self.told.set(Instant::now());
        let (step, epochs) = (self.job.step, self.epochs);
        let share = samples as f64 / of as f64;
        let samples_per_second = (samples - before) as f64 / since.elapsed().as_secs_f64();
        let event = Event::Samples { step, epoch, epochs, share, samples_per_second };
        self.job.runner.observer.event(&event);
        self.write(epoch, (epoch as f64 - 1.0 + share) / epochs as f64, samples_per_second);
    }

    /// Nothing depends on what is written here: a refusal is worth a record, no more.
    fn write(&self, epoch: usize, share: f64, samples_per_second: f64) {
        let quiet = self.written.get().is_some_and(|last| last.elapsed() < BETWEEN_WRITINGS);
        if quiet {
            return;
        }
        self.written.set(Some(Instant::now()));
        let (loss, accuracy) = self.last.get();
        let epochs = self.epochs;
        let reached = Epochs { epoch, epochs, share, loss, accuracy, samples_per_second };
        self.job.say_where(Some(Reached::Epochs(reached)));
    }
}
