//! A train or distill node.

use super::{
    failure::failed,
    files::{WEIGHTS, write_weights},
    memory,
    pace::Clock,
    runner::Job,
    teach::Teaching,
    watcher::Watcher,
};
use crate::{
    config::{Recipe, Select, Split},
    data::View,
    execute::{Failure, Made},
    history,
    learn::{LearnError, Lesson, Objective, resume},
    plan::Step,
    spec::{Learn, Teacher},
    store::{KeyLock, Outcome, Provenance},
};

impl Job<'_> {
    pub(super) fn learn(
        &self,
        learn: &Learn,
        recipe: &Recipe,
        teacher: Option<(Teacher, Option<KeyLock>)>,
        seed: u64,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Made, Failure> {
        if self.runner.device.is_cpu {
            let need = memory::need(&learn.net, recipe, learn.data.info.train);
            if let Some(refusal) = memory::refusal(need, memory::limit()) {
                return Err(failed(refusal));
            }
        }
        let device = &self.runner.device.device;
        let dataset = self.dataset(&learn.data, &step.inputs)?;
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
            Some((teacher, logits)) => {
                Some((teacher.kd, self.teaching(step, &train_view, logits)?))
            }
        };
        let objective = match &teaching {
            None => Objective::CrossEntropy,
            Some((kd, Teaching::Stored(logits))) => Objective::Kd(*kd, logits),
            Some((kd, Teaching::Live(network))) => Objective::KdLive(*kd, network),
        };
        let net = &learn.net;
        let (train, judge, ops) = (&train_view, judge.as_ref(), self.runner.device.ops);
        let on_collapse = learn.on_collapse;
        let lesson = Lesson { net, recipe, objective, seed, ops, train, judge, on_collapse };
        let from = self.checkpoint(lock, recipe.epochs)?;
        let mut clock = Clock::from(from.as_ref().map_or(0.0, |from| from.state.seconds));
        let mut watcher = Watcher::new(self, lock, recipe.epochs, clock);
        let mut trained = resume(&lesson, device, from, &mut watcher);
        if let Err(LearnError::Checkpoint(problem)) = &trained {
            self.note(&format!("its checkpoint does not fit ({problem}); it starts anew"));
            clock = Clock::from(0.0);
            watcher = Watcher::new(self, lock, recipe.epochs, clock);
            trained = resume(&lesson, device, None, &mut watcher);
        }
        let trained = trained.map_err(|error| match error {
            LearnError::Stopped => Failure::Stopped,
            error => failed(error),
        })?;
        let seconds = clock.seconds();
        let files = [
            (WEIGHTS, write_weights(&trained.weights).map_err(failed)?),
            (history::FILE, history::write(&trained.history)),
        ];
        let (parameters, selected) = (net.parameters(), trained.selected);
        let (selected_epoch, collapsed_epoch) = (Some(selected), trained.collapsed);
        let outcome = Outcome::Network { parameters, selected_epoch, collapsed_epoch, seconds };
        let by = Provenance { on_collapse: Some(on_collapse), ..self.provenance() };
        self.commit_by(lock, &step.inputs, &files, outcome, by)?;
        if let Err(problem) = self.runner.store.drop_checkpoint(lock) {
            self.note(&format!("{problem}; `takd cache gc` tries again"));
        }
        Ok(Made::Here(seconds))
    }
}
