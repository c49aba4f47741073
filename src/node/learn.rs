//! A train or distill node.

use super::{
    files::{WEIGHTS, read_checkpoint, write_checkpoint, write_weights},
    line::Line,
    runner::{Job, failed},
    teach::Teaching,
};
use crate::{
    config::{Recipe, Select, Split},
    data::View,
    execute::{Event, Failure, Made},
    history,
    learn::{Checkpoint, LearnError, Lesson, Objective, Progress, resume},
    plan::Step,
    spec::{Learn, Teacher},
    store::{Kept, KeyLock, Outcome},
};
use std::time::{Duration, Instant};

/// Least time between two checkpoints of one training: they cost a copy to the host and an fsync.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(1);

impl Job<'_> {
    pub(super) fn learn(
        &self,
        learn: &Learn,
        recipe: &Recipe,
        teacher: Option<Teacher>,
        seed: u64,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Made, Failure> {
        let device = &self.runner.device.device;
        let dataset = self.dataset(&learn.data)?;
        let view = |split| View::new(&dataset, &learn.data, split, device).map_err(failed);
        let judge = match recipe.select {
            Select::BestTest => Some(view(Split::Test)?),
            Select::BestValidation | Select::Last => {
                (learn.data.validation > 0).then(|| view(Split::Validation)).transpose()?
            }
        };
        let mut train_view = view(Split::Train)?;
        if !recipe.augment.is_empty() {
            train_view = train_view.with_host(&dataset);
        }
        let teaching = match teacher {
            None => None,
            Some(teacher) => Some((teacher.kd, self.teaching(recipe, step, &train_view)?)),
        };
        let objective = match &teaching {
            None => Objective::CrossEntropy,
            Some((kd, Teaching::Stored(logits))) => Objective::Kd(*kd, logits),
            Some((kd, Teaching::Live(network))) => Objective::KdLive(*kd, network),
        };
        let net = &learn.net;
        let (train, judge, ops) = (&train_view, judge.as_ref(), self.runner.device.ops);
        let lesson = Lesson { net, recipe, objective, seed, ops, train, judge };
        let from = self.checkpoint(lock, recipe.epochs)?;
        let line = Line::new(self, lock, recipe.epochs);
        let started = Instant::now();
        let mut written = Instant::now();
        let mut problem = None;
        let mut on_epoch = |progress: &Progress<'_>| {
            line.epoch(progress.record, progress.samples_per_second);
            let last = progress.record.epoch == recipe.epochs;
            if !last && written.elapsed() >= BETWEEN_CHECKPOINTS {
                let kept = self.keep(lock, &(progress.checkpoint)());
                problem = problem.take().or(kept.err());
                written = Instant::now();
            }
        };
        let trained = resume(&lesson, device, &line, from, &mut on_epoch);
        let trained = trained.map_err(|error| match error {
            LearnError::Stopped => Failure::Stopped,
            error => failed(error),
        })?;
        if let Some(problem) = problem {
            // The training itself is whole: a lost checkpoint is worth a line, not a failure.
            self.runner.observer.event(&Event::Note(format!("{}: {problem}", self.name)));
        }
        let seconds = started.elapsed().as_secs_f64();
        let files = [
            (WEIGHTS, write_weights(&trained.weights).map_err(failed)?),
            (history::FILE, history::write(&trained.history)),
        ];
        let (parameters, selected) = (net.parameters(), trained.selected);
        let outcome = Outcome::Network { parameters, selected_epoch: Some(selected), seconds };
        self.commit(lock, &step.inputs, &files, outcome)?;
        self.runner.store.drop_checkpoint(lock).map_err(failed)?;
        Ok(Made::Here(seconds))
    }

    fn keep(&self, lock: &KeyLock, checkpoint: &Checkpoint) -> Result<(), Failure> {
        let bytes = write_checkpoint(checkpoint).map_err(failed)?;
        log::debug!("{}: keeps a checkpoint of {} bytes", self.name, bytes.len());
        self.runner.store.write_checkpoint(lock, &bytes).map_err(failed)
    }

    /// What an earlier run of this training has left. A damaged checkpoint costs its epochs, no more.
    fn checkpoint(&self, lock: &KeyLock, epochs: usize) -> Result<Option<Checkpoint>, Failure> {
        let read = match self.runner.store.read_checkpoint(lock).map_err(failed)? {
            Kept::Nothing => return Ok(None),
            Kept::Damaged => None,
            Kept::Whole(bytes) => read_checkpoint(&bytes).ok(),
        };
        let note = match &read {
            Some(checkpoint) => {
                let done = checkpoint.state.history.len();
                format!("{} goes on after epoch {done} of {epochs}", self.name)
            }
            None => format!("{}: its checkpoint is damaged; it starts anew", self.name),
        };
        self.runner.observer.event(&Event::Note(note));
        Ok(read)
    }
}
