//! Locks: one process makes a key, one gc has the cache to itself.
//!
//! They are the system's advisory file locks, so that a process that dies lets go of them. Lock
//! files are never deleted: a deleted one could be locked twice, under the old and the new file.

use super::{Store, StoreError};
use crate::key::Key;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
    time::{Duration, SystemTime},
};

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of the machine.
    pub host: String,
    /// Process number there.
    pub pid: u32,
    /// Seconds since 1970 when the lock was taken.
    pub since: u64,
}

impl Holder {
    /// This process, from now on.
    pub(crate) fn this() -> Self {
        Self { host: host(), pid: std::process::id(), since: now() }
    }

    /// Whether it is a thread of this process.
    pub fn is_this_process(&self) -> bool {
        self.pid == std::process::id() && self.host == host()
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// This machine's name, as the system tells it.
pub(crate) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok());
    name.map_or("unknown".to_owned(), |name| name.trim().to_owned())
}

/// The right to write one entry, until it is dropped.
#[derive(Debug)]
pub struct KeyLock {
    key: Key,
    holder: Holder,
    _file: File,
}

impl KeyLock {
    /// Which entry.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Who has taken it: this process.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }
}

/// What became of an attempt to lock a key.
#[derive(Debug)]
pub enum Lock {
    /// It was free.
    Taken(KeyLock),
    /// Someone has it; who, unless they have only just taken it and not signed yet.
    Held(Option<Holder>),
}

/// Keeps gc away from the cache, until it is dropped.
#[derive(Debug)]
pub struct CacheUse {
    _file: Option<File>,
}

/// The right to submit nodes of a cache, until it is dropped.
#[derive(Debug)]
pub struct SubmissionLock {
    _file: File,
}

/// Time between two looks at a lock that another process holds.
const PATIENCE: Duration = Duration::from_millis(200);

impl Store {
    /// Waits until `key` is free, and takes it. `patient` is asked at each look whether to go on
    /// waiting; `None` means that it said no.
    ///
    /// # Errors
    /// As [`try_lock`](Self::try_lock).
    pub fn lock(
        &self,
        key: &Key,
        patient: &mut dyn FnMut() -> bool,
    ) -> Result<Option<KeyLock>, StoreError> {
        loop {
            if let Lock::Taken(lock) = self.try_lock(key)? {
                return Ok(Some(lock));
            }
            if !patient() {
                return Ok(None);
            }
            std::thread::sleep(PATIENCE);
        }
    }

    /// Takes `key` if it is free.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the lock file cannot be made.
    pub fn try_lock(&self, key: &Key) -> Result<Lock, StoreError> {
        let (path, mut file) = self.lock_file(&key.to_string())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Lock::Held(read_holder(&path))),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
        }
        let holder = Holder::this();
        let text = serde_json::to_string(&holder).expect("plain data is always JSON");
        let written = file.set_len(0).and_then(|()| file.rewind());
        written
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(StoreError::io("write", &path))?;
        self.recover(key)?;
        Ok(Lock::Taken(KeyLock { key: *key, holder, _file: file }))
    }

    /// Waits until nobody else submits nodes of this cache to a cluster, and keeps others from it. `patient`
    /// is asked at each look whether to go on waiting; `None` means that it said no.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the lock file cannot be made.
    pub fn lock_submission(
        &self,
        patient: &mut dyn FnMut() -> bool,
    ) -> Result<Option<SubmissionLock>, StoreError> {
        let (path, file) = self.lock_file("slurm")?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(SubmissionLock { _file: file })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(StoreError::io("lock", &path)(error));
                }
            }
            if !patient() {
                return Ok(None);
            }
            std::thread::sleep(PATIENCE);
        }
    }

    /// Tells gc to stay away while the result lives; and why the cache can only be read, if it can.
    pub fn enter(&self) -> (CacheUse, Option<StoreError>) {
        let entered = self.lock_file("cache").and_then(|(path, file)| {
            file.lock_shared().map_err(StoreError::io("lock", &path))?;
            Ok(CacheUse { _file: Some(file) })
        });
        match entered {
            Ok(entered) => (entered, None),
            Err(refusal) => (self.visit(), Some(refusal)),
        }
    }

    /// As [`enter`](Self::enter), for who only reads: nothing is created.
    pub fn visit(&self) -> CacheUse {
        let file = File::open(self.root.join("locks/cache.lock"));
        let file = file.and_then(|file| file.lock_shared().map(|()| file));
        // Without a lock file there was never a run, nor a gc.
        CacheUse { _file: file.ok() }
    }

    /// The cache for oneself.
    pub(super) fn enter_alone(&self) -> Result<CacheUse, StoreError> {
        let (path, file) = self.lock_file("cache")?;
        match file.try_lock() {
            Ok(()) => Ok(CacheUse { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(self.root.clone())),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    fn lock_file(&self, name: &str) -> Result<(std::path::PathBuf, File), StoreError> {
        let folder = self.root.join("locks");
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let path = folder.join(format!("{name}.lock"));
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let file = file.map_err(StoreError::io("write", &path))?;
        Ok((path, file))
    }
}

fn read_holder(path: &Path) -> Option<Holder> {
    let mut text = String::new();
    File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
