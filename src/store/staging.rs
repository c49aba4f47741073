//! Writing entries: beside the cache's entries first, then renamed into place whole.

use super::{
    FileDigest, KeyLock, Manifest, Outcome, Provenance, Store, StoreError,
    entry::{MANIFEST, MANIFEST_DIGEST, digest_line},
};
use crate::key::KeyInputs;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// An entry that is being written. Dropped before [`commit`](Self::commit), it leaves nothing.
#[derive(Debug)]
pub struct Staging<'a> {
    store: &'a Store,
    lock: &'a KeyLock,
    folder: PathBuf,
    files: BTreeMap<String, FileDigest>,
}

impl<'a> Staging<'a> {
    /// Starts an entry; only the holder of its lock can.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be made.
    pub fn new(store: &'a Store, lock: &'a KeyLock) -> Result<Self, StoreError> {
        let name = format!("{}.{}", lock.key(), std::process::id());
        let folder = store.root().join("staging").join(name);
        // A leftover of an earlier process with this number: the lock says that it is gone.
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        Ok(Self { store, lock, folder, files: BTreeMap::new() })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// [`StoreError::Io`], for a full disk say.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_synced(&self.folder.join(name), bytes)?;
        let blake3 = blake3::hash(bytes).to_hex().to_string();
        self.files.insert(name.to_owned(), FileDigest { bytes: bytes.len() as u64, blake3 });
        Ok(())
    }

    /// Puts the entry in its place, instead of any that was there.
    ///
    /// # Errors
    /// [`StoreError::Io`]; the place then holds what it held before.
    pub fn commit(
        mut self,
        inputs: KeyInputs,
        outcome: Outcome,
        provenance: Provenance,
    ) -> Result<Manifest, StoreError> {
        assert_eq!(inputs.key(), *self.lock.key(), "the lock is for the entry that is written");
        let files = std::mem::take(&mut self.files);
        let manifest = Manifest { inputs, files, outcome, provenance };
        let mut text = serde_json::to_vec_pretty(&manifest).expect("plain data is always JSON");
        text.push(b'\n');
        write_synced(&self.folder.join(MANIFEST), &text)?;
        write_synced(&self.folder.join(MANIFEST_DIGEST), &digest_line(&text))?;
        sync_folder(&self.folder)?;
        let place = self.store.entry_path(self.lock.key());
        let entries = self.store.root().join("entries");
        fs::create_dir_all(&entries).map_err(StoreError::io("create", &entries))?;
        let old = self.folder.with_extension("old");
        if place.exists() {
            fs::rename(&place, &old).map_err(StoreError::io("replace", &place))?;
        }
        fs::rename(&self.folder, &place).map_err(StoreError::io("write", &place))?;
        sync_folder(&entries)?;
        remove(&old)?;
        Ok(manifest)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // After a commit the folder has moved away. What cannot be removed is left to gc.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(StoreError::io("write", path))
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", path))
}

/// Removes a folder, if it is there.
pub(super) fn remove(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
