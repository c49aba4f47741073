//! A train or distill node.

use super::{
    files::{HISTORY, WEIGHTS, write_history, write_weights},
    runner::{Job, failed},
};
use crate::{
    config::{Select, Split},
    data::View,
    execute::{Event, Failure, Made},
    learn::{EpochRecord, LearnError, Lesson, Objective, Stop, train},
    plan::Step,
    spec::Learn,
    store::{KeyLock, Outcome},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

struct Flag<'a>(&'a AtomicBool);

impl Stop for Flag<'_> {
    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Job<'_> {
    pub(super) fn learn(
        &self,
        learn: &Learn,
        seed: u64,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Made, Failure> {
        let device = &self.runner.device.device;
        let dataset = self.dataset(&learn.data)?;
        let view = |split| View::new(&dataset, &learn.data, split, device);
        let judge = match learn.recipe.select {
            Select::BestTest => Some(view(Split::Test)),
            Select::BestValidation | Select::Last => {
                (learn.data.validation > 0).then(|| view(Split::Validation))
            }
        };
        let logits = match learn.teacher {
            Some(_) => {
                Some(self.teacher_logits(step.inputs.parents[0], &step.inputs.data, learn)?)
            }
            None => None,
        };
        let objective = match (learn.teacher, &logits) {
            (Some(teacher), Some(logits)) => Objective::Kd(teacher.kd, logits),
            _ => Objective::CrossEntropy,
        };
        let (net, recipe, train_view) = (&learn.net, &learn.recipe, view(Split::Train));
        let lesson =
            Lesson { net, recipe, objective, seed, train: &train_view, judge: judge.as_ref() };
        let started = Instant::now();
        let mut on_epoch =
            |record: &EpochRecord, pace| self.report_epoch(record, pace, recipe.epochs);
        let trained = train(&lesson, device, &Flag(self.runner.stop), &mut on_epoch);
        let trained = trained.map_err(|error| match error {
            LearnError::Stopped => Failure::Stopped,
            error => failed(error),
        })?;
        let seconds = started.elapsed().as_secs_f64();
        let files = [
            (WEIGHTS, write_weights(&trained.weights).map_err(failed)?),
            (HISTORY, write_history(&trained.history)),
        ];
        let (parameters, selected_epoch) = (net.parameters(), trained.selected);
        let outcome = Outcome::Network { parameters, selected_epoch, seconds };
        self.commit(lock, &step.inputs, &files, outcome)?;
        Ok(Made::Here(seconds))
    }

    fn report_epoch(&self, record: &EpochRecord, samples_per_second: f64, epochs: usize) {
        let &EpochRecord { epoch, loss, accuracy, lr: _ } = record;
        let step = self.step;
        let event = Event::Epoch { step, epoch, epochs, loss, accuracy, samples_per_second };
        self.runner.observer.event(&event);
    }
}
