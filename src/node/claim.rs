//! What a step locks before it begins: its own key and, where it has to make them, its teacher's
//! logits.
//!
//! Nothing is waited for: a step whose locks are held elsewhere comes again later, and holds none of
//! them meanwhile, so that no two steps can wait for each other.

use super::failure::other_version;
use crate::{
    executor::{Event, Observer, StepError},
    key::{Key, KeyInputs},
    plan::{Action, Reason, Step},
    store::{Depth, KeyLock, Lock, Lookup, Store, now},
};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// A step's locks.
pub(super) struct Claim {
    /// Of its own key.
    pub lock: KeyLock,
    /// Inputs of each teacher's logits that are stored, and their lock if they have to be made.
    pub logits: Vec<(KeyInputs, Option<KeyLock>)>,
}

/// What came of claiming a step.
pub(super) enum Claimed {
    /// Locked for this process to compute.
    Locked(Claim),
    /// Its entry exists by now.
    Found,
    /// Another process, or another step, is making it, or the logits with this key that it needs.
    Busy(Option<Key>),
}

/// What came of taking a key's lock.
enum Taken {
    Lock(KeyLock),
    Found,
    Held,
}

/// Who takes the locks of steps.
#[derive(Clone, Copy)]
pub(super) struct Claims<'a> {
    pub store: &'a Store,
    pub observer: &'a dyn Observer,
    /// Keys whose holders people have been told of.
    pub told: &'a Mutex<HashSet<Key>>,
}

impl Claims<'_> {
    /// The locks of `step`, which reads the logits `stored`, unless its entry exists by now and not
    /// forced away.
    pub fn claim(
        &self,
        name: &str,
        step: &Step,
        stored: Vec<KeyInputs>,
    ) -> Result<Claimed, StepError> {
        let forced = matches!(step.action, Action::Run(Reason::Forced));
        let lock = match self.take(name, &step.key, forced)? {
            Taken::Lock(lock) => lock,
            Taken::Found => return Ok(Claimed::Found),
            Taken::Held => return Ok(Claimed::Busy(None)),
        };
        let (mut logits, mut taken) = (Vec::new(), Vec::new());
        for inputs in stored {
            let key = inputs.key();
            // Two teachers of one configuration are one artifact.
            let lock = if taken.contains(&key) {
                None
            } else {
                match self.take(name, &key, false)? {
                    Taken::Lock(lock) => Some(lock),
                    Taken::Found => None,
                    Taken::Held => return Ok(Claimed::Busy(Some(key))),
                }
            };
            logits.push((inputs, lock));
            taken.push(key);
        }
        Ok(Claimed::Locked(Claim { lock, logits }))
    }

    /// The lock of `key`, unless its entry exists by now and not `forced` away.
    fn take(&self, name: &str, key: &Key, forced: bool) -> Result<Taken, StepError> {
        let lock = match self.store.try_lock(key)? {
            Lock::Taken(lock) => lock,
            Lock::Held(holder) => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                // Another step of this run needs no line: both are on the screen.
                let holder = holder.filter(|holder| !holder.is_this_process());
                if let Some(holder) = holder.filter(|_| told.insert(*key)) {
                    let ago = now().saturating_sub(holder.since);
                    let (pid, host) = (holder.pid, holder.host);
                    self.note(
                        name,
                        &format!(
                            "waits for process {pid} on {host}, which has been making it for {ago} s"
                        ),
                    );
                }
                return Ok(Taken::Held);
            }
        };
        match self.store.find(key, Depth::Content)? {
            Lookup::Whole(_) if !forced => Ok(Taken::Found),
            Lookup::Whole(_) | Lookup::Missing => Ok(Taken::Lock(lock)),
            Lookup::Damaged(problem) => {
                let path = self.store.set_aside(key)?;
                let (key, path) = (key.short(), path.display());
                self.note(
                    name,
                    &format!("the entry {key} was damaged ({problem}); it is set aside in {path}"),
                );
                Ok(Taken::Lock(lock))
            }
            Lookup::OtherVersion(version) => Err(other_version(key, &version)),
        }
    }

    /// A line for people, about the task `name`.
    fn note(&self, name: &str, text: &str) {
        self.observer.event(&Event::Note(format!("{name}: {text}")));
    }
}
