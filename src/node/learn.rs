//! A train or distill node.

use super::{
    aim::Aim,
    failure,
    files::{WEIGHTS, write_weights},
    memory,
    pace::Clock,
    runner::Job,
    teach::TeacherSource,
    watcher::Watcher,
};
use crate::{
    dataset::{Split, View},
    executor::{Done, StepError},
    history,
    pipeline::{Learn, Teacher},
    plan::Step,
    recipe::{Recipe, Select},
    store::{KeyLock, Outcome, Provenance},
    training::{Ensemble, LearnError, Objective, Training, resume},
};

impl Job<'_> {
    pub(super) fn learn(
        &self,
        learn: &Learn,
        recipe: &Recipe,
        aim: Aim<'_>,
        seed: u64,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Done, StepError> {
        if self.runner.device.is_cpu {
            let need = memory::need(&learn.net, recipe, learn.data.info.train);
            if let Some(refusal) = memory::refusal(need, memory::limit()) {
                return Err(failure::memory(refusal));
            }
        }
        let device = &self.runner.device.device;
        let dataset = self.dataset(&learn.data, &step.inputs)?;
        let view = |split| View::new(&dataset, &learn.data, split, device);
        let evaluation = match recipe.select {
            Select::BestTest => Some(view(Split::Test)?),
            Select::BestValidation | Select::Last => {
                (learn.data.validation > 0).then(|| view(Split::Validation)).transpose()?
            }
        };
        let mut train_view = view(Split::Train)?;
        if !recipe.augment.is_empty() {
            train_view = train_view.with_host(&dataset);
        }
        let fit = |objective| {
            let training = Training {
                net: &learn.net,
                recipe,
                objective,
                seed,
                kernels: self.runner.device.kernels,
                train: &train_view,
                evaluation: evaluation.as_ref(),
                on_collapse: learn.on_collapse,
            };
            self.fit(&training, step, lock)
        };
        match aim {
            Aim::Labels(loss) => fit(Objective::Labels(loss)),
            Aim::Teacher(Teacher { objective, weights, .. }, logits) => {
                let weights = weights.as_deref();
                match self.source(step, &train_view, logits)? {
                    TeacherSource::Stored(logits) => {
                        fit(Objective::Stored(&**objective, Ensemble { each: &logits, weights }))
                    }
                    TeacherSource::Live(networks) => {
                        fit(Objective::Live(&**objective, Ensemble { each: &networks, weights }))
                    }
                }
            }
        }
    }

    /// Trains, from its checkpoint if there is one, and writes the entry.
    fn fit(&self, training: &Training<'_>, step: &Step, lock: &KeyLock) -> Result<Done, StepError> {
        let (device, epochs) = (&self.runner.device.device, training.recipe.epochs);
        let from = self.checkpoint(lock, epochs)?;
        let mut clock = Clock::from(from.as_ref().map_or(0.0, |from| from.state.seconds));
        let mut watcher = Watcher::new(self, lock, epochs, clock);
        let mut trained = resume(training, device, from, &mut watcher);
        if let Err(LearnError::Checkpoint(problem)) = &trained {
            self.note(&format!("its checkpoint does not fit ({problem}); it restarts"));
            clock = Clock::from(0.0);
            watcher = Watcher::new(self, lock, epochs, clock);
            trained = resume(training, device, None, &mut watcher);
        }
        let trained = trained?;
        let seconds = clock.seconds();
        let files = [
            (WEIGHTS, write_weights(&trained.weights)?),
            (history::FILE, history::write(&trained.history)),
        ];
        let (parameters, selected) = (training.net.parameters(), trained.selected);
        let (selected_epoch, collapsed_epoch) = (Some(selected), trained.collapsed);
        let outcome = Outcome::Network { parameters, selected_epoch, collapsed_epoch, seconds };
        let by = Provenance { on_collapse: Some(training.on_collapse), ..self.provenance() };
        self.commit_by(lock, &step.inputs, &files, outcome, by)?;
        if let Err(problem) = self.runner.store.drop_checkpoint(lock) {
            self.note(&format!("{problem}; `takd cache gc` tries again"));
        }
        Ok(Done::Here(seconds))
    }
}
