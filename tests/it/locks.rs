//! Taking the lock of a key.

use crate::workspace::Workspace;
use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use takd::{
    key::Key,
    store::{KeyLock, Lock, Store},
};

/// Takes `key`, which nobody holds.
pub fn lock(store: &Store, key: &Key) -> KeyLock {
    match store.try_lock(key).unwrap() {
        Lock::Taken(lock) => lock,
        Lock::Held(holder) => panic!("{key} is held by {holder:?}"),
    }
}

/// A child that another thread starts holds every open file of this process until it becomes its own program.
#[test]
fn what_is_let_go_is_free_although_other_programs_are_started() {
    let workspace = Workspace::new();
    let store = Store::new(workspace.path("cache"));
    let key: Key =
        "8ad3f47d1c9d1ac6a0f4d9d3b1a1e2f3c4b5a69788796a5b4c3d2e1f0a1b2c3d".parse().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                Command::new("true").status().unwrap();
            }
        });
        let is_free = (0..2000).all(|_| matches!(store.try_lock(&key), Ok(Lock::Taken(_))));
        is_over.store(true, Ordering::Relaxed);
        assert!(is_free);
    });
}
