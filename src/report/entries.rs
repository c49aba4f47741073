//! What the cache holds, each manifest read once.

use crate::{
    key::Key,
    store::{Lookup, Store, StoreError},
};
use std::collections::{
    HashMap,
    hash_map::Entry::{Occupied, Vacant},
};

/// The entries of a cache, for all parts of a report.
pub struct Entries<'a> {
    store: &'a Store,
    known: HashMap<Key, Lookup>,
}

impl<'a> Entries<'a> {
    /// Of `store`; nothing is read yet.
    pub fn new(store: &'a Store) -> Self {
        Self { store, known: HashMap::new() }
    }

    pub(super) fn store(&self) -> &'a Store {
        self.store
    }

    /// What was known of `key` when it was first asked for; of its files only the manifest is read.
    pub(super) fn find(&mut self, key: &Key) -> Result<&Lookup, StoreError> {
        Ok(match self.known.entry(*key) {
            Occupied(known) => known.into_mut(),
            Vacant(place) => place.insert(self.store.known(key)?),
        })
    }
}
