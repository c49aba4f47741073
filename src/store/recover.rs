//! What killed processes leave behind, and how it is put right.

use super::{
    Store, StoreError,
    disk::{OLD, look_anew, machine, sync_folder},
    list,
    relocate::{is_there, relocate},
};
use crate::key::Key;
use std::{fs, path::Path, time::Duration};

/// Age from which what another machine has staged is nobody's: an entry is written in seconds.
const DEAD: Duration = Duration::from_secs(3600);

impl Store {
    /// Puts back the entry of `key` that a killed process had moved away and not yet replaced, and
    /// removes what else dead processes have left of the key. The caller holds its lock, so that none
    /// of this machine lives; locks may not reach other machines (or containers, which have names
    /// too), of whose processes only age tells.
    pub(super) fn recover(&self, key: &Key) -> Result<(), StoreError> {
        // Whoever had the lock before may have made it on another machine.
        look_anew(&self.root.join("entries"))?;
        self.end_removals(Some(key))?;
        self.put_back(Some(key))?;
        let (all, ours) = (format!("{key}."), format!("{key}.{}.", machine()));
        for folder in ["staging", "checkpoints"] {
            let folder = self.root.join(folder);
            for name in list(&folder)?.iter().filter(|name| name.starts_with(&all)) {
                let path = folder.join(name);
                if name.starts_with(&ours) || is_old(&path) {
                    self.discard(&path)?;
                }
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
            let path = self.entry_path(&key);
            if !is_there(&path)? {
                relocate(&staging.join(name), &path).map_err(StoreError::io("write", &path))?;
                sync_folder(&self.root.join("entries"))?;
            }
        }
        Ok(())
    }
}

/// Whether nobody has changed it for long. What cannot be told is young: gc takes it in the end.
fn is_old(path: &Path) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > DEAD))
}
