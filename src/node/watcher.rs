//! Oversees a node's training: checkpoints in time, a last one at a stop, epochs for who listens.

use super::{
    files::{read_checkpoint, write_checkpoint},
    line::Line,
    runner::{Job, failed},
};
use crate::{
    execute::Failure,
    learn::{Checkpoint, Order, Progress, Watch},
    store::{Kept, KeyLock},
};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Least time between two checkpoints after whole epochs.
const BETWEEN_EPOCHS: Duration = Duration::from_secs(1);

/// Checkpoints cost a copy to the host and an fsync: at most one part in this many of the time.
const SHARE: u32 = 20;

pub(super) struct Watcher<'a> {
    job: &'a Job<'a>,
    lock: &'a KeyLock,
    epochs: usize,
    line: Line<'a>,
    written: Instant,
    /// What the last checkpoint took.
    cost: Duration,
    /// Whether the next checkpoint is the last.
    stopping: bool,
    /// Whether the user knows that checkpoints cannot be written.
    told: bool,
}

impl<'a> Watcher<'a> {
    pub fn new(job: &'a Job<'a>, lock: &'a KeyLock, epochs: usize) -> Self {
        let (line, written) = (Line::new(job, lock, epochs), Instant::now());
        let (cost, stopping, told) = (Duration::ZERO, false, false);
        Self { job, lock, epochs, line, written, cost, stopping, told }
    }

    fn is_due(&self, interval: Duration) -> bool {
        self.written.elapsed() >= interval.max(self.cost * SHARE)
    }

    /// Replaces the checkpoint. The training itself is whole without: a problem is worth a line.
    fn write(&mut self, checkpoint: &dyn Fn() -> Checkpoint) -> Option<Checkpoint> {
        let started = Instant::now();
        let checkpoint = checkpoint();
        let bytes = write_checkpoint(&checkpoint).map_err(failed);
        let written = bytes.and_then(|bytes| {
            log::debug!("{}: keeps a checkpoint of {} bytes", self.job.name, bytes.len());
            self.job.runner.store.write_checkpoint(self.lock, &bytes).map_err(failed)
        });
        self.written = Instant::now();
        self.cost = self.written - started;
        let Err(problem) = written else { return Some(checkpoint) };
        if !self.told {
            self.told = true;
            self.job.note(&format!("no checkpoint: {problem}; the training goes on without"));
        }
        None
    }
}

impl Watch for Watcher<'_> {
    fn order(&mut self, epoch: usize, samples: usize, of: usize) -> Order {
        self.line.stepped(epoch, samples, of);
        self.stopping = self.job.runner.stop.load(Ordering::Relaxed);
        if self.stopping {
            Order::Stop
        } else if self.is_due(self.job.runner.checkpoint_every) {
            Order::Keep
        } else {
            Order::GoOn
        }
    }

    fn keep(&mut self, checkpoint: &dyn Fn() -> Checkpoint) {
        let written = self.write(checkpoint);
        if let (Some(checkpoint), true) = (written, self.stopping) {
            let place = place(&checkpoint, self.epochs);
            self.job.note(&format!("stopped {place}; its checkpoint is written"));
        }
    }

    fn epoch(&mut self, progress: &Progress<'_>) {
        self.line.epoch(progress.record, progress.samples_per_second);
        let interval = BETWEEN_EPOCHS.min(self.job.runner.checkpoint_every);
        // After the last epoch the entry follows at once.
        if progress.record.epoch < self.epochs && self.is_due(interval) {
            self.write(progress.checkpoint);
        }
    }
}

/// Where a training stands: `after epoch 3 of 10`, `after step 17 of epoch 4 of 10`.
pub(super) fn place(checkpoint: &Checkpoint, epochs: usize) -> String {
    let epoch = checkpoint.state.history.len();
    match checkpoint.state.within {
        Some(within) if within.step > 0 => {
            format!("after step {} of epoch {} of {epochs}", within.step, epoch + 1)
        }
        _ => format!("after epoch {epoch} of {epochs}"),
    }
}

impl Job<'_> {
    /// What an earlier run of this training has left. A damaged checkpoint costs its epochs, no more.
    pub(super) fn checkpoint(
        &self,
        lock: &KeyLock,
        epochs: usize,
    ) -> Result<Option<Checkpoint>, Failure> {
        let read = match self.runner.store.read_checkpoint(lock).map_err(failed)? {
            Kept::Nothing => return Ok(None),
            Kept::Damaged => None,
            Kept::Whole(bytes) => read_checkpoint(&bytes).ok(),
        };
        self.note(&match &read {
            Some(checkpoint) => format!("goes on {}", place(checkpoint, epochs)),
            None => "its checkpoint is damaged; it starts anew".to_owned(),
        });
        Ok(read)
    }
}
