//! The cache: one folder an artifact, named by its key.
//!
//! ```text
//! cache/
//!   entries/KEY/         a whole entry: manifest.json, manifest.blake3 and the files they vouch for
//!   entries/KEY.removed  its entry is being removed where it is, since it could not be renamed
//!   staging/KEY.…/       an entry that is being written; renamed into place when it is whole
//!   checkpoints/KEY      what an unfinished training has come to; it holds the key
//!   progress/KEY         how far whoever makes the entry says it is, or why it failed
//!   latency/…          how long networks take for an image, by network and kind of CPU
//!   outlines/KEY/        what is known of an entry whose large files are in a remote
//!   damaged/KEY.N/       an entry whose digests did not match; kept for its owner to look at
//!   damaged/KEY.checkpoint.N  a checkpoint of another key or version
//!   locks/KEY.lock       held by whoever makes the entry
//!   locks/by-lease       where the file system has no locks: locks/KEY.lease stands for each (`lease.rs`)
//!   locks/cache.lock     held shared by every run, exclusively by gc
//!   locks/slurm.lock     held by whoever submits to a cluster
//!   slurm/               what was submitted: records, scripts, pipelines and logs (`crate::slurm`)
//! ```
//!
//! Nothing here knows what an entry's files mean.

mod checkpoint;
mod disk;
mod entry;
mod gc;
mod guard;
mod holder;
mod latency;
mod lease;
mod lock;
mod manifest;
mod others;
mod outline;
mod progress;
mod record;
mod recover;
mod relocate;
mod seen;
mod staging;
mod version;

pub use checkpoint::StoredCheckpoint;
pub(crate) use disk::{create, for_group};
pub use entry::{Depth, Entry, Lookup};
pub use gc::Garbage;
pub use holder::Holder;
pub(crate) use holder::{host, now};
pub use latency::Latency;
pub use lock::{CacheUse, KeyLock, Lock, SubmissionLock};
pub use manifest::{FileDigest, Manifest, Outcome, Provenance};
pub use progress::{Epochs, Images, Maker, Progress, Reached};
pub use record::RecordError;
pub(crate) use seen::Seen;
pub use staging::Staging;

use crate::key::Key;
use relocate::{is_there, relocate};
use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// A cache folder.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    leases: guard::Found,
}

/// Why the cache could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// Verb: read, write, lock.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// gc while a run uses the cache.
    #[error("the cache {} is in use by a run; try again when it has ended", .0.display())]
    InUse(PathBuf),
}

impl StoreError {
    fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

impl Store {
    /// The cache in `root`; nothing is created before something is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), leases: guard::Found::default() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn entry_path(&self, key: &Key) -> PathBuf {
        self.root.join("entries").join(key.to_string())
    }

    /// Keys of all entries, sorted; whether they are whole is not looked at.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder is there but cannot be read.
    pub fn keys(&self) -> Result<Vec<Key>, StoreError> {
        let folder = self.root.join("entries");
        let names = list(&folder)?;
        let mut keys: Vec<Key> = names.iter().filter_map(|name| name.parse().ok()).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// The keys under which a checkpoint lies, whole or not: one look at a folder, where a plan would
    /// look for each of its steps.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be read.
    pub fn checkpoint_keys(&self) -> Result<HashSet<Key>, StoreError> {
        let names = list(&self.root.join("checkpoints"))?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Moves a damaged entry out of the way; its new place.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be moved.
    pub fn set_aside(&self, key: &Key) -> Result<PathBuf, StoreError> {
        self.move_aside(&self.entry_path(key), &key.to_string())
    }

    /// Moves what is at `from` to the first free `damaged/NAME.N`.
    fn move_aside(&self, from: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let folder = self.root.join("damaged");
        create(&folder)?;
        for number in 1u64.. {
            let to = folder.join(format!("{name}.{number}"));
            if !is_there(&to)? {
                relocate(from, &to).map_err(StoreError::io("set aside", from))?;
                return Ok(to);
            }
        }
        unreachable!("a folder holds fewer than 2^64 names")
    }
}

/// Names in a folder; none if it is not there.
fn list(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", folder))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}
