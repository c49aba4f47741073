//! What an unfinished training has come to, beside the entries: one file a key, replaced whole.

use super::{
    KeyLock, Store, StoreError,
    entry::read,
    staging::{create, remove, sync_folder, write_synced, writer},
};
use std::{fs, path::PathBuf};

/// What lies under a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// A file that does not match its own digest.
    Damaged,
    /// A checkpoint.
    Whole(Vec<u8>),
}

/// Length of a digest in hex and the newline after it, with which every checkpoint starts.
const HEAD: usize = 65;

impl Store {
    fn checkpoint_path(&self, lock: &KeyLock) -> PathBuf {
        self.root().join("checkpoints").join(lock.key().to_string())
    }

    /// Replaces the checkpoint of a key; only the holder of its lock can.
    ///
    /// # Errors
    /// [`StoreError::Io`]; the checkpoint before it is then still there.
    pub fn write_checkpoint(&self, lock: &KeyLock, bytes: &[u8]) -> Result<(), StoreError> {
        let place = self.checkpoint_path(lock);
        let folder = self.root().join("checkpoints");
        create(&folder)?;
        let new = folder.join(format!("{}.{}", lock.key(), writer()));
        let head = format!("{}\n", blake3::hash(bytes).to_hex());
        let written = write_synced(&new, &[head.as_bytes(), bytes].concat())
            .and_then(|()| fs::rename(&new, &place).map_err(StoreError::io("write", &place)));
        if let Err(error) = written {
            // On a full disk half a file would be in the way.
            remove(&new)?;
            return Err(error);
        }
        sync_folder(&folder)
    }

    /// The checkpoint of a key, if its digest matches.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system refuses to read it.
    pub fn read_checkpoint(&self, lock: &KeyLock) -> Result<Kept, StoreError> {
        let place = self.checkpoint_path(lock);
        let Some(bytes) = read(&place)? else { return Ok(Kept::Nothing) };
        let whole = bytes.split_at_checked(HEAD).filter(|(head, content)| {
            **head == *format!("{}\n", blake3::hash(content).to_hex()).as_bytes()
        });
        Ok(whole.map_or(Kept::Damaged, |(_, content)| Kept::Whole(content.to_vec())))
    }

    /// Removes the checkpoint of a key: its entry is there, or it is of no use.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it is there and cannot be removed.
    pub fn drop_checkpoint(&self, lock: &KeyLock) -> Result<(), StoreError> {
        remove(&self.checkpoint_path(lock))
    }
}
