//! Writing entries: beside the cache's entries first, then renamed into place whole.

use super::{
    FileDigest, KeyLock, Manifest, Outcome, Provenance, Store, StoreError,
    disk::{OLD, create, create_one, sync_folder, write_synced, writer},
    manifest::{MANIFEST, MANIFEST_DIGEST, digest_line},
    relocate::relocate,
};
use crate::key::KeyInputs;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
};

/// How often a commit makes way for an entry that another writer has just put in its place. Locks
/// keep writers apart; on a shared file system a lost machine may write without one.
const ATTEMPTS: usize = 100;

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
        let name = format!("{}.{}", lock.key(), writer());
        let staging = store.root().join("staging");
        create(&staging)?;
        let folder = staging.join(name);
        // Never one that is there already: what lies in it would become part of the entry.
        create_one(&folder).map_err(StoreError::io("create", &folder))?;
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
    /// [`StoreError::Io`], also for a number that is NaN or infinite; the place then holds what it held
    /// before.
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
        // JSON has no NaN: what cannot be read back would count as damaged.
        if serde_json::from_slice(&text).ok().as_ref() != Some(&manifest) {
            let problem =
                io::Error::new(ErrorKind::InvalidData, "a number in it is NaN or infinite");
            return Err(StoreError::io("write", &self.folder.join(MANIFEST))(problem));
        }
        self.seal(&text)?;
        Ok(manifest)
    }

    /// Puts an entry in its place that was made elsewhere, under the manifest that it has there.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    ///
    /// # Panics
    /// If the text is no manifest of this key and these files: the caller has read it.
    pub fn adopt(self, text: &[u8]) -> Result<(), StoreError> {
        let manifest = Manifest::parse(text);
        let is_its = |manifest: &Manifest| {
            manifest.key() == *self.lock.key() && manifest.files == self.files
        };
        assert!(manifest.is_ok_and(|manifest| is_its(&manifest)), "the manifest was checked");
        self.seal(text)
    }

    /// Writes the manifest, and puts the entry in its place.
    fn seal(&self, text: &[u8]) -> Result<(), StoreError> {
        write_synced(&self.folder.join(MANIFEST), text)?;
        write_synced(&self.folder.join(MANIFEST_DIGEST), &digest_line(text))?;
        sync_folder(&self.folder)?;
        self.place()
    }

    /// Renames the entry to its place. What was there is moved away first, and back if it fails: the
    /// system replaces no folder that holds something.
    fn place(&self) -> Result<(), StoreError> {
        let path = self.store.entry_path(self.lock.key());
        let entries = self.store.root().join("entries");
        create(&entries)?;
        let mut name = self.folder.clone().into_os_string();
        name.push(OLD);
        let old = PathBuf::from(name);
        for attempt in 1.. {
            match relocate(&self.folder, &path) {
                Ok(()) => break,
                Err(error) if attempt < ATTEMPTS && is_taken(&error) => {
                    self.store.discard(&old)?;
                    match relocate(&path, &old) {
                        Err(error) if error.kind() != ErrorKind::NotFound => {
                            return Err(StoreError::io("replace", &path)(error));
                        }
                        _ => {}
                    }
                }
                Err(error) => {
                    // The first error counts; if this fails too, the next lock puts it back.
                    let _ = relocate(&old, &path);
                    return Err(StoreError::io("write", &path)(error));
                }
            }
        }
        sync_folder(&entries)?;
        self.store.discard(&old)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // After a commit the folder has moved away. What cannot be removed is left to gc.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_taken(error: &io::Error) -> bool {
    let taken = [ErrorKind::DirectoryNotEmpty, ErrorKind::AlreadyExists, ErrorKind::NotADirectory];
    taken.contains(&error.kind())
}
