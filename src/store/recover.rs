//! What killed processes leave behind, and how it is put right.

use super::{
    Store, StoreError, list,
    staging::{OLD, machine, sync_folder},
};
use crate::key::Key;
use std::fs;

impl Store {
    /// Puts back the entry of `key` that a killed process had moved away and not yet replaced, and
    /// removes what else processes of this machine have left of the key. The caller holds its lock,
    /// so none of them lives; those of other machines are left to gc.
    pub(super) fn recover(&self, key: &Key) -> Result<(), StoreError> {
        self.put_back(Some(key))?;
        let ours = format!("{key}.{}.", machine());
        for folder in ["staging", "checkpoints"] {
            let folder = self.root.join(folder);
            for name in list(&folder)?.iter().filter(|name| name.starts_with(&ours)) {
                self.discard(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Puts entries back that were moved away and have no successor, of one key or of all.
    pub(super) fn put_back(&self, only: Option<&Key>) -> Result<(), StoreError> {
        let staging = self.root.join("staging");
        for name in list(&staging)?.iter().filter(|name| name.ends_with(OLD)) {
            let key = name.split('.').next().and_then(|key| key.parse().ok());
            let Some(key) = key.filter(|key| only.is_none_or(|only| only == key)) else { continue };
            let place = self.entry_path(&key);
            if !place.exists() {
                fs::rename(staging.join(name), &place).map_err(StoreError::io("write", &place))?;
                sync_folder(&self.root.join("entries"))?;
            }
        }
        Ok(())
    }
}
