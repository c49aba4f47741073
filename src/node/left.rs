//! What an earlier run has left of an unfinished artifact, if it is this artifact's.

use super::{failure::failed, runner::Job};
use crate::{
    execute::Failure,
    store::{Kept, KeyLock},
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
    ) -> Result<Option<T>, Failure> {
        let store = self.runner.store;
        let problem = match store.read_checkpoint(lock.key()).map_err(failed)? {
            Kept::Nothing => return Ok(None),
            Kept::Damaged => {
                self.note(&format!("{what} is damaged; {anew}"));
                return Ok(None);
            }
            Kept::OtherKey(key) => format!("belongs to the key {}", key.short()),
            Kept::OtherVersion => "is another takd version's".to_owned(),
            Kept::Whole(bytes) => match read(&bytes) {
                Ok(left) => return Ok(Some(left)),
                Err(error) => format!("is another takd version's ({error})"),
            },
        };
        // It is whole, and its owner may want it.
        let place = store.set_checkpoint_aside(lock).map_err(failed)?;
        self.note(&format!("{what} {problem}; it is set aside in {}, and {anew}", place.display()));
        Ok(None)
    }
}
