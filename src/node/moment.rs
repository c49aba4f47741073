//! Networks at an epoch: a training leaves them as it passes.

use super::{
    files::{WEIGHTS, write_weights},
    runner::Job,
};
use crate::{
    executor::StepError,
    history,
    key::KeyInputs,
    recipe::OnCollapse,
    store::{Depth, KeyLock, Lock, Lookup, Outcome, Provenance},
    training::{Progress, Trained},
};

/// What is the same for all networks of one training.
#[derive(Clone, Copy)]
pub(super) struct Trainee {
    /// Of the network.
    pub parameters: usize,
    pub on_collapse: OnCollapse,
}

/// The networks at an epoch that a training leaves as it passes.
pub(super) struct Moments {
    /// Of each of them.
    pub inputs: Vec<KeyInputs>,
    pub trainee: Trainee,
    /// The training of which this one is the beginning, if it is to be left where that can go on.
    pub whole: Option<KeyInputs>,
}

impl Job<'_> {
    /// Writes the entry of a trained network, made as the task `name`.
    pub(super) fn commit_network(
        &self,
        name: &str,
        lock: &KeyLock,
        inputs: &KeyInputs,
        trained: &Trained,
        trainee: Trainee,
        seconds: f64,
    ) -> Result<(), StepError> {
        let Trainee { parameters, on_collapse } = trainee;
        let files = [
            (WEIGHTS, write_weights(&trained.weights)?),
            (history::FILE, history::write(&trained.history)),
        ];
        let (selected_epoch, collapsed_epoch) = (Some(trained.selected), trained.collapsed);
        let outcome = Outcome::Network { parameters, selected_epoch, collapsed_epoch, seconds };
        let on_collapse = Some(on_collapse);
        let by = Provenance { on_collapse, node: name.to_owned(), ..self.provenance() };
        self.commit_by(lock, inputs, &files, outcome, by)
    }

    /// A lock on an entry that is not there and that nobody makes.
    pub(super) fn unmade(&self, inputs: &KeyInputs) -> Result<Option<KeyLock>, StepError> {
        let (store, key) = (self.runner.store, inputs.key());
        let Lock::Taken(lock) = store.try_lock(&key)? else { return Ok(None) };
        let found = store.find(&key, Depth::Manifest)?;
        Ok(matches!(found, Lookup::Missing).then_some(lock))
    }

    /// Writes the entry `inputs` of the training that `progress` is of, unless it is there or another
    /// process makes it.
    pub(super) fn keep_moment(
        &self,
        inputs: &KeyInputs,
        progress: &Progress<'_>,
        trainee: Trainee,
        seconds: f64,
    ) -> Result<(), StepError> {
        let Some(lock) = self.unmade(inputs)? else { return Ok(()) };
        let checkpoint = (progress.checkpoint)();
        let trained = Trained {
            weights: checkpoint.weights,
            history: checkpoint.state.history,
            selected: progress.record.epoch,
            collapsed: (progress.collapsed)(),
            peers: Vec::new(),
        };
        let epoch = progress.record.epoch;
        let (node, seed) = self.name.rsplit_once('@').unwrap_or((&self.name, ""));
        let name = format!("{node}@{epoch}@{seed}");
        self.commit_network(&name, &lock, inputs, &trained, trainee, seconds)
    }
}
