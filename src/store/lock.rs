//! Locks: one process makes a key, one gc has the cache to itself.
//!
//! They are the system's advisory file locks, so that a process that dies lets go of them, or leases where the file
//! system has none (`guard.rs`). Lock files are never deleted: a deleted one could be locked twice, under the old and
//! the new file.

use super::{
    Store, StoreError,
    guard::{Guard, PATIENCE, Tried},
    holder::Holder,
};
use crate::key::Key;

/// The right to write one entry, until it is dropped.
#[derive(Debug)]
pub struct KeyLock {
    key: Key,
    holder: Holder,
    _guard: Guard,
}

impl KeyLock {
    /// Which entry.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Who has taken it: this process.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }
}

/// What became of an attempt to lock a key.
#[derive(Debug)]
pub enum Lock {
    /// It was free.
    Taken(KeyLock),
    /// Someone has it; who, unless they have only just taken it and not signed yet.
    Held(Option<Holder>),
}

/// Keeps gc away from the cache, until it is dropped.
#[derive(Debug)]
pub struct CacheUse {
    _guard: Option<Guard>,
}

/// The right to submit nodes of a cache, until it is dropped.
#[derive(Debug)]
pub struct SubmissionLock {
    _guard: Guard,
}

impl Store {
    /// Waits until `key` is free, and takes it. `patient` is asked at each look whether to go on
    /// waiting; `None` means that it said no.
    ///
    /// # Errors
    /// As [`try_lock`](Self::try_lock).
    pub fn lock(
        &self,
        key: &Key,
        patient: &mut dyn FnMut() -> bool,
    ) -> Result<Option<KeyLock>, StoreError> {
        loop {
            if let Lock::Taken(lock) = self.try_lock(key)? {
                return Ok(Some(lock));
            }
            if !patient() {
                return Ok(None);
            }
            std::thread::sleep(PATIENCE);
        }
    }

    /// Takes `key` if it is free.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the lock file cannot be made.
    pub fn try_lock(&self, key: &Key) -> Result<Lock, StoreError> {
        let holder = Holder::this();
        match self.guard(&key.to_string(), &holder)? {
            Tried::Taken(guard) => {
                self.recover(key)?;
                Ok(Lock::Taken(KeyLock { key: *key, holder, _guard: guard }))
            }
            Tried::Held(holder) => Ok(Lock::Held(holder)),
        }
    }

    /// Waits until nobody else submits nodes of this cache to a cluster, and keeps others from it. `patient`
    /// is asked at each look whether to go on waiting; `None` means that it said no.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the lock file cannot be made.
    pub fn lock_submission(
        &self,
        patient: &mut dyn FnMut() -> bool,
    ) -> Result<Option<SubmissionLock>, StoreError> {
        loop {
            if let Tried::Taken(guard) = self.guard("slurm", &Holder::this())? {
                return Ok(Some(SubmissionLock { _guard: guard }));
            }
            if !patient() {
                return Ok(None);
            }
            std::thread::sleep(PATIENCE);
        }
    }

    /// Tells gc to stay away while the result lives; and why the cache can only be read, if it can.
    pub fn enter(&self) -> (CacheUse, Option<StoreError>) {
        match self.guard_use() {
            Ok(guard) => (CacheUse { _guard: Some(guard) }, None),
            Err(refusal) => (self.visit(), Some(refusal)),
        }
    }

    /// As [`enter`](Self::enter), for who only reads: nothing is created.
    pub fn visit(&self) -> CacheUse {
        CacheUse { _guard: self.guard_visit() }
    }

    /// The cache for oneself.
    pub(super) fn enter_alone(&self) -> Result<CacheUse, StoreError> {
        match self.guard_alone(&Holder::this())? {
            Some(guard) => Ok(CacheUse { _guard: Some(guard) }),
            None => Err(StoreError::InUse(self.root.clone())),
        }
    }
}
