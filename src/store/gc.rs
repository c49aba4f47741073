//! Removing what no pipeline reaches.

use super::{
    Store, StoreError,
    disk::{OLD, create, remove, writer},
    list,
    manifest::MANIFEST,
    outline::OUTLINES,
    relocate::{REMOVED, is_removed, is_there, remove_in_place},
};
use crate::key::Key;
use std::{
    collections::HashSet,
    fs,
    io::ErrorKind::{CrossesDevices, NotFound},
    path::{Path, PathBuf},
    time::Duration,
};

/// Something that gc removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Garbage {
    /// Folder or file.
    pub path: PathBuf,
    /// Length of the files in it.
    pub bytes: u64,
}

impl Store {
    /// Every entry whose key is not in `keep`, everything set aside as damaged, and whatever dead
    /// processes left in staging; removed unless `dry_run`.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a run uses the cache; [`StoreError::Io`].
    pub fn gc(&self, keep: &HashSet<Key>, dry_run: bool) -> Result<Vec<Garbage>, StoreError> {
        if !is_there(&self.root)? {
            return Ok(Vec::new());
        }
        let _alone = self.enter_alone()?;
        if !dry_run {
            self.end_removals(None)?;
            self.put_back(None)?;
        }
        let mut garbage = Vec::new();
        for kind in ["entries", "checkpoints", "progress", OUTLINES, "damaged", "staging"] {
            let folder = self.root.join(kind);
            for name in list(&folder)? {
                let kept = match name.parse().ok().filter(|key| keep.contains(key)) {
                    Some(key) if kind == "entries" => !is_removed(&self.entry_path(&key))?,
                    // Beside an entry they are what a killed run did not come to drop.
                    Some(key) if ["checkpoints", "progress", OUTLINES].contains(&kind) => {
                        !is_there(&self.entry_path(&key).join(MANIFEST))?
                    }
                    _ => false,
                };
                // A mark goes with what it marks.
                if !kept && !name.ends_with(REMOVED) {
                    let path = folder.join(name);
                    garbage.push(Garbage { bytes: size(&path), path });
                }
            }
        }
        garbage.sort_by(|a, b| a.path.cmp(&b.path));
        if !dry_run {
            garbage.iter().try_for_each(|garbage| self.discard(&garbage.path))?;
        }
        Ok(garbage)
    }

    /// The keys under which something was written within `age`: entries, checkpoints, progress, outlines.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn younger_than(&self, age: Duration) -> Result<HashSet<Key>, StoreError> {
        let mut young = HashSet::new();
        for kind in ["entries", "checkpoints", "progress", OUTLINES] {
            let folder = self.root.join(kind);
            for name in list(&folder)? {
                let path = folder.join(&name);
                // A folder's own time changes with what lies in it; a manifest is written once.
                let manifest = path.join(MANIFEST);
                let written = fs::metadata(if manifest.exists() { manifest } else { path });
                let since = written.and_then(|found| found.modified()).map(|time| time.elapsed());
                // What cannot be told is young, and so is what lies in the future.
                let old = since.is_ok_and(|since| since.is_ok_and(|since| since > age));
                young.extend(name.parse::<Key>().ok().filter(|_| !old));
            }
        }
        Ok(young)
    }

    /// Removes the entries of these keys, with what was begun under them.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a run uses the cache; [`StoreError::Io`].
    pub fn remove(&self, keys: &HashSet<Key>) -> Result<(), StoreError> {
        let _alone = self.enter_alone()?;
        for key in keys {
            self.discard(&self.entry_path(key))?;
            for kind in ["checkpoints", "progress", OUTLINES] {
                self.discard(&self.root.join(kind).join(key.to_string()))?;
            }
        }
        Ok(())
    }

    /// Removes a file or a folder, if it is there. An entry, also one that was moved away for its
    /// successor, leaves its name whole: whoever is killed meanwhile leaves no half of one, neither
    /// where entries are nor where they are put back from.
    pub(super) fn discard(&self, path: &Path) -> Result<(), StoreError> {
        let old = path.as_os_str().as_encoded_bytes().ends_with(OLD.as_bytes());
        if !old && path.parent() != Some(&self.root.join("entries")) {
            return remove(path);
        }
        let staging = self.root.join("staging");
        create(&staging)?;
        let aside = staging.join(format!("removed.{}", writer()));
        match fs::rename(path, &aside) {
            Ok(()) => remove(&aside),
            Err(error) if error.kind() == NotFound => Ok(()),
            Err(error) if error.kind() == CrossesDevices => {
                remove_in_place(path).map_err(StoreError::io("remove", path))
            }
            Err(error) => Err(StoreError::io("remove", path)(error)),
        }
    }
}

/// Length of a file, or of the files in a folder of files; what cannot be read counts nothing.
fn size(path: &Path) -> u64 {
    let files = fs::read_dir(path).into_iter().flatten().flatten();
    let inside = files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len());
    if path.is_dir() {
        inside.sum()
    } else {
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }
}
