//! Oversees a node's training: checkpoints in time, a last one at a stop, epochs for who listens.

use super::{
    files::{read_checkpoint, write_checkpoint},
    line::Line,
    moment::Moments,
    pace::{Clock, Pace},
    runner::Job,
};
use crate::{
    executor::StepError,
    store::KeyLock,
    training::{Checkpoint, Order, Progress, Sign, Watch},
};
use std::time::{Duration, Instant};

/// Least time between two checkpoints after whole epochs.
const BETWEEN_EPOCHS: Duration = Duration::from_secs(1);

pub(super) struct Watcher<'a> {
    job: &'a Job<'a>,
    lock: &'a KeyLock,
    epochs: usize,
    line: Line<'a>,
    clock: Clock,
    pace: Pace,
    moments: &'a Moments,
    /// Whether the next checkpoint is the last.
    stopping: bool,
    /// Whether the user knows that checkpoints cannot be written.
    told: bool,
    /// Whether the user knows that it perhaps learns nothing, 1, or surely, 2.
    collapsed: u8,
}

impl<'a> Watcher<'a> {
    pub fn new(
        job: &'a Job<'a>,
        lock: &'a KeyLock,
        epochs: usize,
        clock: Clock,
        moments: &'a Moments,
    ) -> Self {
        let (line, pace) = (Line::new(job, epochs), Pace::new());
        let (stopping, told, collapsed) = (false, false, 0);
        Self { job, lock, epochs, line, clock, pace, moments, stopping, told, collapsed }
    }

    /// Replaces the checkpoint. The training itself is whole without: a problem is worth a line.
    fn write(&mut self, checkpoint: &dyn Fn() -> Checkpoint) -> Option<Checkpoint> {
        let started = Instant::now();
        let mut checkpoint = checkpoint();
        checkpoint.state.seconds = self.clock.seconds();
        let bytes = write_checkpoint(&checkpoint).map_err(StepError::from);
        let written = bytes.and_then(|bytes| {
            log::debug!("{}: keeps a checkpoint of {} bytes", self.job.name, bytes.len());
            Ok(self.job.runner.store.write_checkpoint(self.lock, &bytes)?)
        });
        self.pace.wrote(started);
        let Err(problem) = written else { return Some(checkpoint) };
        if !self.told {
            self.told = true;
            self.job.note(&format!("no checkpoint: {problem}; the training continues without it"));
        }
        None
    }
}

impl Watch for Watcher<'_> {
    fn order(&mut self, epoch: usize, samples: usize, of: usize) -> Order {
        self.line.stepped(epoch, samples, of);
        if self.stopped() {
            Order::Stop
        } else if self.pace.is_due(self.job.runner.checkpoint_every) {
            Order::Keep
        } else {
            Order::GoOn
        }
    }

    fn keep(&mut self, checkpoint: &dyn Fn() -> Checkpoint) {
        let written = self.write(checkpoint);
        if let (Some(checkpoint), true) = (written, self.stopping) {
            let epochs = reached(&checkpoint, self.epochs);
            self.job.note(&format!("stopped {epochs}; its checkpoint is written"));
        }
    }

    fn stopped(&mut self) -> bool {
        self.stopping = self.job.rest();
        self.stopping
    }

    fn epoch(&mut self, progress: &Progress<'_>) {
        self.line.epoch(progress.record, progress.samples_per_second);
        // A slow start is told once, and once more if it proves to be none.
        let grade = |sign: Sign| 1 + u8::from(sign.is_sure());
        if let Some(sign) = progress.sign.filter(|&sign| grade(sign) > self.collapsed) {
            self.collapsed = grade(sign);
            let collapse = (progress.explain)(sign);
            let then = if sign.is_sure() {
                "It trains on: `on_collapse = \"stop\"` ends it"
            } else {
                "It trains on: a deep network may only be slow to begin"
            };
            self.job.note(&format!("warning: {collapse}. {then}"));
        }
        let Moments { inputs, trainee, whole } = self.moments;
        let epoch = Some(progress.record.epoch);
        for inputs in inputs.iter().filter(|inputs| inputs.epoch == epoch) {
            let seconds = self.clock.seconds();
            if let Err(problem) = self.job.keep_moment(inputs, progress, *trainee, seconds) {
                let epoch = progress.record.epoch;
                self.job.note(&format!(
                    "the network at epoch {epoch} is not kept: {problem}; it is trained again when it is \
                     needed"
                ));
            }
        }
        let interval = BETWEEN_EPOCHS.min(self.job.runner.checkpoint_every);
        // After the last epoch the entry follows at once.
        if progress.record.epoch < self.epochs && self.pace.is_due(interval) {
            self.write(progress.checkpoint);
        }
        if let Some(whole) = whole.as_ref().filter(|_| progress.record.epoch == self.epochs) {
            let mut checkpoint = (progress.checkpoint)();
            checkpoint.state.seconds = self.clock.seconds();
            if let Err(problem) = self.job.pause(whole, &checkpoint) {
                let text =
                    format!("where it pauses is not kept: {problem}; it begins anew if it goes on");
                self.job.note(&text);
            }
        }
    }
}

/// Where a training stands: `after epoch 3 of 10`, `after step 17 of epoch 4 of 10`.
pub(super) fn reached(checkpoint: &Checkpoint, epochs: usize) -> String {
    let epoch = checkpoint.state.history.len();
    match checkpoint.state.within {
        Some(within) if within.step > 0 => {
            format!("after step {} of epoch {} of {epochs}", within.step, epoch + 1)
        }
        _ => format!("after epoch {epoch} of {epochs}"),
    }
}

impl Job<'_> {
    /// What an earlier run of this training has left. A checkpoint that cannot be used costs its
    /// epochs, no more.
    pub(super) fn checkpoint(
        &self,
        lock: &KeyLock,
        epochs: usize,
    ) -> Result<Option<Checkpoint>, StepError> {
        let left = self.left(lock, ["its checkpoint", "it restarts"], read_checkpoint)?;
        if let Some(checkpoint) = &left {
            self.note(&format!("resuming {}", reached(checkpoint, epochs)));
        }
        Ok(left)
    }
}
