//! A train or distill node.

use super::{
    files::{HISTORY, WEIGHTS, write_history, write_weights},
    runner::{Job, failed},
    teach::Teaching,
};
use crate::{
    config::{Recipe, Select, Split},
    data::View,
    execute::{Event, Failure, Made},
    learn::{EpochRecord, LearnError, Lesson, Objective, Stop, train},
    plan::Step,
    spec::{Learn, Teacher},
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
        recipe: &Recipe,
        teacher: Option<Teacher>,
        seed: u64,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Made, Failure> {
        let device = &self.runner.device.device;
        let dataset = self.dataset(&learn.data)?;
        let view = |split| View::new(&dataset, &learn.data, split, device);
        let judge = match recipe.select {
            Select::BestTest => Some(view(Split::Test)),
            Select::BestValidation | Select::Last => {
                (learn.data.validation > 0).then(|| view(Split::Validation))
            }
        };
        let mut train_view = view(Split::Train);
        if !recipe.augment.is_empty() {
            train_view = train_view.with_host(&dataset);
        }
        let teaching = match teacher {
            None => None,
            Some(teacher) => Some((teacher.kd, self.teaching(recipe, step, learn)?)),
        };
        let objective = match &teaching {
            None => Objective::CrossEntropy,
            Some((kd, Teaching::Stored(logits))) => Objective::Kd(*kd, logits),
            Some((kd, Teaching::Live(network))) => Objective::KdLive(*kd, network),
        };
        let net = &learn.net;
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
        let (parameters, selected) = (net.parameters(), trained.selected);
        let outcome = Outcome::Network { parameters, selected_epoch: Some(selected), seconds };
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
