//! Many entries at a time: a bucket far away takes its time for each, and does many side by side.

use super::RemoteError;
use crate::key::Key;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Entries that are on their way at a time.
const LANES: usize = 8;

/// What became of many entries.
#[derive(Debug)]
pub struct Transfer<T> {
    /// Of each that went well.
    pub done: BTreeMap<Key, T>,
    /// Of each that did not.
    pub failed: BTreeMap<Key, RemoteError>,
}

/// Does `work` for each of `keys`; `tell` hears of each that has gone well. A remote that refuses or cannot be reached
/// ends it, since it would do so for each; so does `stop`.
pub fn transfer<T: Send>(
    keys: &[Key],
    stop: &AtomicBool,
    work: &(dyn Fn(&Key) -> Result<T, RemoteError> + Sync),
    tell: &mut (dyn FnMut(&T) + Send),
) -> Transfer<T> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let found = Mutex::new((Transfer { done: BTreeMap::new(), failed: BTreeMap::new() }, tell));
    let lane = || {
        while !is_over.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
            let Some(key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let came = work(key);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            let (transfer, tell) = &mut *found;
            match came {
                Ok(came) => {
                    tell(&came);
                    transfer.done.insert(*key, came);
                }
                Err(error) => {
                    let is_its = matches!(error, RemoteError::Wrong { .. });
                    is_over.fetch_or(!is_its, Ordering::Relaxed);
                    transfer.failed.insert(*key, error);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..LANES.min(keys.len()) {
            // Fewer threads do as well.
            let _ = thread::Builder::new().spawn_scoped(scope, lane);
        }
        lane();
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner).0
}
