//! A train or distill node.

use super::{
    aim::Aim,
    failure, memory,
    moment::{Moments, Trainee},
    pace::Clock,
    runner::Job,
    teach::TeacherSource,
    watcher::Watcher,
};
use crate::{
    dataset::{Split, View},
    executor::{Done, StepError},
    key::KeyInputs,
    memory::limit,
    pipeline::{Learn, Mutual, Teacher},
    plan::Step,
    recipe::{Recipe, Select},
    store::KeyLock,
    training::{Ensemble, LearnError, Objective, Peers, Training, resume},
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
        if self.device.is_cpu {
            let of = |net| memory::need(net, recipe, learn.data.info.train);
            let need = learn.trained().iter().map(of).sum();
            if let Some(refusal) = memory::refusal(need, limit()) {
                return Err(failure::memory(refusal));
            }
        }
        let device = &self.device.device;
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
            train_view = train_view.changing(&dataset, &recipe.augment);
        }
        let fit = |objective| {
            let training = Training {
                net: &learn.net,
                recipe,
                objective,
                seed,
                kernels: self.device.kernels,
                train: &train_view,
                evaluation: evaluation.as_ref(),
                until: learn.until,
                on_collapse: learn.on_collapse,
            };
            self.fit(&training, learn, step, lock)
        };
        match aim {
            Aim::Labels(loss) => fit(Objective::Labels(loss)),
            Aim::Mutual(Mutual { nets, place, objective, .. }) => {
                fit(Objective::Mutual(&**objective, Peers { nets, place: *place }))
            }
            Aim::Teacher(teacher, logits) => {
                let Teacher { objective, weights, .. } = teacher;
                let weights = weights.as_deref();
                match self.source(step, (teacher, (&train_view, &learn.data)), logits)? {
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
    fn fit(
        &self,
        training: &Training<'_>,
        learn: &Learn,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Done, StepError> {
        let device = &self.device.device;
        let epochs = training.until.unwrap_or(training.recipe.epochs);
        let moments = learn.moments.iter();
        let moments =
            moments.map(|&epoch| KeyInputs { epoch: Some(epoch), ..step.inputs.clone() }).collect();
        let (parameters, on_collapse) = (training.net.parameters(), training.on_collapse);
        let trainee = Trainee { parameters, on_collapse };
        let whole = training.until.map(|_| KeyInputs { epoch: None, ..step.inputs.clone() });
        let mut from = self.checkpoint(lock, epochs)?;
        if let (None, Some(whole)) = (&from, &whole) {
            from = self.paused(whole, epochs)?;
        }
        let moments = Moments { inputs: moments, trainee, whole };
        let mut clock = Clock::from(from.as_ref().map_or(0.0, |from| from.state.seconds));
        let mut watcher = Watcher::new(self, lock, epochs, clock, &moments);
        let mut trained = resume(training, device, from, &mut watcher);
        if let Err(LearnError::Checkpoint(problem)) = &trained {
            self.note(&format!("its checkpoint does not fit ({problem}); it restarts"));
            clock = Clock::from(0.0);
            watcher = Watcher::new(self, lock, epochs, clock, &moments);
            trained = resume(training, device, None, &mut watcher);
        }
        let trained = trained?;
        let seconds = clock.seconds();
        self.commit_network(&self.name, lock, &step.inputs, &trained, trainee, seconds)?;
        if let Some(mutual) = learn.mutual() {
            self.keep_peers(mutual, &step.inputs, &trained.peers, trainee, seconds)?;
        }
        if let Err(problem) = self.runner.store.drop_checkpoint(lock) {
            self.note(&format!("{problem}; `takd cache gc` tries again"));
        }
        Ok(Done::Here(seconds))
    }
}
