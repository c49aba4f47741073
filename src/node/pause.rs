//! Trainings that pause at an epoch: what continues them is kept under the key of the whole training.

use super::{
    files::{read_checkpoint, write_checkpoint},
    runner::Job,
    watcher::reached,
};
use crate::{
    executor::StepError,
    key::KeyInputs,
    store::{KeyLock, StoredCheckpoint},
    training::Checkpoint,
};

impl Job<'_> {
    /// Where the training `whole` has paused, if that is not beyond the end of epoch `until`.
    pub(super) fn paused(
        &self,
        whole: &KeyInputs,
        until: usize,
    ) -> Result<Option<Checkpoint>, StepError> {
        // Whoever holds the lock trains all of it, and writes what is read here.
        let Some(lock) = self.unmade(whole)? else { return Ok(None) };
        let found = self.read_pause(&lock)?.filter(|found| {
            let epochs = found.state.history.len();
            let within = found.state.within.is_some_and(|within| within.step > 0);
            epochs < until || (epochs == until && !within)
        });
        if let Some(checkpoint) = &found {
            self.note(&format!("continues {}", reached(checkpoint, until)));
        }
        Ok(found)
    }

    /// Keeps `checkpoint` for the rest of the training `whole`, unless that has come further.
    pub(super) fn pause(
        &self,
        whole: &KeyInputs,
        checkpoint: &Checkpoint,
    ) -> Result<(), StepError> {
        let Some(lock) = self.unmade(whole)? else { return Ok(()) };
        let epochs = |checkpoint: &Checkpoint| checkpoint.state.history.len();
        let further = self.read_pause(&lock)?;
        if further.is_some_and(|further| epochs(&further) >= epochs(checkpoint)) {
            return Ok(());
        }
        let bytes = write_checkpoint(checkpoint)?;
        Ok(self.runner.store.write_checkpoint(&lock, &bytes)?)
    }

    /// What cannot be used is left for the training whose it is: that says so.
    fn read_pause(&self, lock: &KeyLock) -> Result<Option<Checkpoint>, StepError> {
        Ok(match self.runner.store.read_checkpoint(lock.key())? {
            StoredCheckpoint::Whole(bytes) => read_checkpoint(&bytes).ok(),
            StoredCheckpoint::Nothing
            | StoredCheckpoint::Damaged
            | StoredCheckpoint::OtherKey(_)
            | StoredCheckpoint::OtherVersion => None,
        })
    }
}
