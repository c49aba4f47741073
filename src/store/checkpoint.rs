//! What an unfinished training has come to, beside the entries: one file a key, replaced whole.
//!
//! A file starts with two lines: the blake3 of all that follows, and [`KEY_VERSION`] and the key.

use super::{
    KeyLock, Store, StoreError,
    disk::{create, read, remove, sync_folder, write_synced, writer},
};
use crate::key::{KEY_VERSION, Key};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What lies under a key.
#[derive(Debug, PartialEq, Eq)]
pub enum StoredCheckpoint {
    /// Nothing.
    Nothing,
    /// A file that does not match its own digest.
    Damaged,
    /// A checkpoint of another key.
    OtherKey(Key),
    /// A file that another version of takd wrote.
    OtherVersion,
    /// A checkpoint.
    Whole(Vec<u8>),
}

/// Length of a digest in hex and the newline after it.
const DIGEST: usize = 65;
/// More than the length of both lines.
const HEAD: u64 = 160;

/// The key and the content, of what follows the digest; nothing of another version's.
fn parse(rest: &[u8]) -> Option<(Key, &[u8])> {
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    let key = line.strip_prefix(&format!("{KEY_VERSION} "))?.parse().ok()?;
    Some((key, &rest[end + 1..]))
}

/// Whether a file that begins as a checkpoint does is another version's.
pub(super) fn is_other_version(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let begins = |digest: &[u8]| {
        let digest = std::str::from_utf8(digest).ok().and_then(|line| line.strip_suffix('\n'));
        digest.is_some_and(|digest| digest.parse::<Key>().is_ok())
    };
    let parts = head.split_at_checked(DIGEST).filter(|(digest, _)| begins(digest));
    Ok(parts.is_some_and(|(_, rest)| parse(rest).is_none()))
}

impl Store {
    fn checkpoint_path(&self, key: &Key) -> PathBuf {
        self.root().join("checkpoints").join(key.to_string())
    }

    /// Replaces the checkpoint of a key; only the holder of its lock can.
    ///
    /// # Errors
    /// [`StoreError::Io`]; the checkpoint before it is then still there.
    pub fn write_checkpoint(&self, lock: &KeyLock, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.checkpoint_path(lock.key());
        let folder = self.root().join("checkpoints");
        create(&folder)?;
        let new = folder.join(format!("{}.{}", lock.key(), writer()));
        let key = format!("{KEY_VERSION} {}\n", lock.key());
        let digest = blake3::Hasher::new().update(key.as_bytes()).update(bytes).finalize();
        let digest = format!("{}\n", digest.to_hex());
        let written = write_synced(&new, &[digest.as_bytes(), key.as_bytes(), bytes].concat())
            .and_then(|()| fs::rename(&new, &path).map_err(StoreError::io("write", &path)));
        if let Err(error) = written {
            // On a full disk half a file would be in the way.
            remove(&new)?;
            return Err(error);
        }
        sync_folder(&folder)
    }

    /// The checkpoint of a key, if its digest matches and it is this key's. Whoever does not hold the
    /// key's lock may read one that is replaced in the next moment.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system refuses to read it.
    pub fn read_checkpoint(&self, key: &Key) -> Result<StoredCheckpoint, StoreError> {
        let path = self.checkpoint_path(key);
        let Some(bytes) = read(&path)? else { return Ok(StoredCheckpoint::Nothing) };
        let whole = bytes.split_at_checked(DIGEST).filter(|(digest, rest)| {
            **digest == *format!("{}\n", blake3::hash(rest).to_hex()).as_bytes()
        });
        let Some((_, rest)) = whole else { return Ok(StoredCheckpoint::Damaged) };
        Ok(match parse(rest) {
            None => StoredCheckpoint::OtherVersion,
            Some((found, content)) if found == *key => StoredCheckpoint::Whole(content.to_vec()),
            Some((found, _)) => StoredCheckpoint::OtherKey(found),
        })
    }

    /// Moves the checkpoint of a key out of the way, for its owner to look at; its new place.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be moved.
    pub fn set_checkpoint_aside(&self, lock: &KeyLock) -> Result<PathBuf, StoreError> {
        self.move_aside(&self.checkpoint_path(lock.key()), &format!("{}.checkpoint", lock.key()))
    }

    /// Removes the checkpoint of a key: its entry is there, or it is of no use.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it is there and cannot be removed.
    pub fn drop_checkpoint(&self, lock: &KeyLock) -> Result<(), StoreError> {
        remove(&self.checkpoint_path(lock.key()))
    }
}
