//! What an earlier run has left of an unfinished artifact, if it is this artifact's.

use super::runner::Job;
use crate::{
    executor::StepError,
    store::{KeyLock, StoredCheckpoint},
};
use std::fmt;

impl Job<'_> {
    /// What lies under the key of `lock`, as `read` reads it; nothing where nothing of use is left, which
    /// costs work and no more. `what` names it in a line, `anew` says what happens without it.
    pub(super) fn left<T, E: fmt::Display>(
        &self,
        lock: &KeyLock,
        [what, anew]: [&str; 2],
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<Option<T>, StepError> {
        let store = self.runner.store;
        let problem = match store.read_checkpoint(lock.key())? {
            StoredCheckpoint::Nothing => return Ok(None),
            StoredCheckpoint::Damaged => {
                self.note(&format!("{what} is damaged; {anew}"));
                return Ok(None);
            }
            StoredCheckpoint::OtherKey(key) => format!("belongs to the key {}", key.short()),
            StoredCheckpoint::OtherVersion => "was written by another version of takd".to_owned(),
            StoredCheckpoint::Whole(bytes) => match read(&bytes) {
                Ok(left) => return Ok(Some(left)),
                Err(error) => format!("was written by another version of takd ({error})"),
            },
        };
        // It is whole, and its owner may want it.
        let path = store.set_checkpoint_aside(lock)?;
        self.note(&format!("{what} {problem}; it is set aside in {}, and {anew}", path.display()));
        Ok(None)
    }
}
