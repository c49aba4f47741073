//! Taking the lock of a key in a process that also starts others.
//!
//! A child that another test starts holds every open file of this process until it becomes its
//! own program, and with them their locks: what was just let go of may be held a moment longer.

use std::time::{Duration, Instant};
use takd::key::Key;
use takd::store::{KeyLock, Store};

/// Takes `key`, which nobody holds for longer than it takes to start a process.
pub fn lock(store: &Store, key: &Key) -> KeyLock {
    let end = Instant::now() + Duration::from_secs(10);
    store.lock(key, &mut || Instant::now() < end).unwrap().expect("nobody holds it")
}
