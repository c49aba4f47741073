//! Outlines: what is known here of an entry whose large files are elsewhere. A table needs how long a training took
//! and which epoch was kept, and no weights.
//!
//! Nothing is made from an outline: [`Store::find`] does not see it.

use super::{
    Depth, Entry, KeyLock, Lookup, Manifest, Store, StoreError,
    disk::{create, create_one, remove, sync_folder, write_synced, writer},
    entry::{Files, check},
    manifest::{MANIFEST, MANIFEST_DIGEST, digest_line},
};
use crate::key::Key;
use std::{fs, path::PathBuf};

/// The folder of outlines.
pub(super) const OUTLINES: &str = "outlines";

impl Store {
    fn outline_path(&self, key: &Key) -> PathBuf {
        self.root().join(OUTLINES).join(key.to_string())
    }

    /// The outline of `key`, if there is one. Its manifest is whole, of its files some may not be there. One that
    /// is damaged, or another version's, is none.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn outline(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let found = check(self.outline_path(key), key, Depth::Manifest, Files::Some)?;
        Ok(found.ok())
    }

    /// What is known of `key`: its entry, or where that is missing its outline.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn known(&self, key: &Key) -> Result<Lookup, StoreError> {
        match self.find(key, Depth::Manifest)? {
            Lookup::Missing => {
                let outline = self.outline(key)?;
                Ok(outline.map_or(Lookup::Missing, |entry| Lookup::Whole(Box::new(entry))))
            }
            found => Ok(found),
        }
    }

    /// Keeps the outline of an entry: its manifest's text, and such of its files as are given.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be written.
    ///
    /// # Panics
    /// If the text is no manifest of the lock's key: the caller has read it.
    pub fn keep_outline(
        &self,
        lock: &KeyLock,
        text: &[u8],
        files: &[(String, Vec<u8>)],
    ) -> Result<(), StoreError> {
        let manifest = Manifest::parse(text);
        assert!(manifest.is_ok_and(|manifest| manifest.key() == *lock.key()), "it was checked");
        let (path, staging) = (self.outline_path(lock.key()), self.root().join("staging"));
        let folder = self.root().join(OUTLINES);
        create(&folder)?;
        create(&staging)?;
        let new = staging.join(format!("{}.{}", lock.key(), writer()));
        create_one(&new).map_err(StoreError::io("create", &new))?;
        let write = || {
            write_synced(&new.join(MANIFEST), text)?;
            write_synced(&new.join(MANIFEST_DIGEST), &digest_line(text))?;
            files.iter().try_for_each(|(name, bytes)| write_synced(&new.join(name), bytes))?;
            // Whoever reads it meanwhile finds none, and knows as much as before.
            remove(&path)?;
            fs::rename(&new, &path).map_err(StoreError::io("write", &path))
        };
        if let Err(error) = write() {
            remove(&new)?;
            return Err(error);
        }
        sync_folder(&folder)
    }
}
