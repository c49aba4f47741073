//! What a step locks before it begins: its own key and, where it has to make them, its teacher's
//! logits.
//!
//! Nothing is waited for: a step whose locks are held elsewhere comes again later, and holds none of
//! them meanwhile, so that no two steps can wait for each other.

use super::failure::{failed, other_version};
use crate::{
    execute::{Event, Failure, Observer},
    key::Key,
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
    /// Of its teacher's logits, if it has to compute them.
    pub logits: Option<KeyLock>,
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
    /// The locks of `step`, or `None` if its entry is there by now and not forced away.
    pub fn claim(&self, name: &str, step: &Step) -> Result<Option<Claim>, Failure> {
        let forced = matches!(step.action, Action::Run(Reason::Forced));
        let Some(lock) = self.take(name, &step.key, forced)? else { return Ok(None) };
        let logits = step.inputs.stored_logits();
        let logits = logits.map(|inputs| self.take(name, &inputs.key(), false)).transpose()?;
        Ok(Some(Claim { lock, logits: logits.flatten() }))
    }

    /// The lock of `key`, or `None` if its entry is there by now and not `forced` away.
    fn take(&self, name: &str, key: &Key, forced: bool) -> Result<Option<KeyLock>, Failure> {
        let lock = match self.store.try_lock(key).map_err(failed)? {
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
                return Err(Failure::Busy);
            }
        };
        match self.store.find(key, Depth::Content).map_err(failed)? {
            Lookup::Whole(_) if !forced => Ok(None),
            Lookup::Whole(_) | Lookup::Missing => Ok(Some(lock)),
            Lookup::Damaged(problem) => {
                let place = self.store.set_aside(key).map_err(failed)?;
                let (key, place) = (key.short(), place.display());
                self.note(
                    name,
                    &format!("the entry {key} was damaged ({problem}); it is set aside in {place}"),
                );
                Ok(Some(lock))
            }
            Lookup::OtherVersion(version) => Err(failed(other_version(key, &version))),
        }
    }

    /// A line for people, about the task `name`.
    fn note(&self, name: &str, text: &str) {
        self.observer.event(&Event::Note(format!("{name}: {text}")));
    }
}
