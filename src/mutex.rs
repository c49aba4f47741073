//! Locks whose content is whole after each change, so that a panic elsewhere leaves nothing half done.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks it, also where a thread has panicked meanwhile.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
