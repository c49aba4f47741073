//! What a lock rests on: the system's advisory file locks, which end with their process; or leases, in a cache whose
//! file system has no locks.

use super::{
    Store, StoreError,
    disk::{create, for_group, writer},
    holder::Holder,
    lease::{Lease, Leases, MARK, Taken},
};
use crate::{file_lock::LockedFile, mutex::lock};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Time between two looks at a lock that another process holds.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// How often a lock's file is opened again that may not be: another member of the group may have made it just now, and
/// be about to hand it on.
const DENIALS: usize = 5;
const BETWEEN_DENIALS: Duration = Duration::from_millis(10);

/// A lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    _file: Option<LockedFile>,
    _lease: Option<Lease>,
}

impl Guard {
    fn of_file(file: LockedFile) -> Self {
        Self { _file: Some(file), _lease: None }
    }

    fn of_lease(lease: Lease) -> Self {
        Self { _file: None, _lease: Some(lease) }
    }
}

/// What came of trying to lock.
#[derive(Debug)]
pub(super) enum Tried {
    /// It was free.
    Taken(Guard),
    /// Someone has it; who, if that can be read.
    Held(Option<Holder>),
}

/// The leases of a cache, once it is known to be locked by them.
pub(super) type Found = Arc<Mutex<Option<Arc<Leases>>>>;

/// What every reader and every run holds, and gc all of it.
const CACHE: &str = "cache";

impl Store {
    fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// The cache's leases, if it is locked by them.
    fn leases(&self) -> Result<Option<Arc<Leases>>, StoreError> {
        let mut found = lock(&self.leases);
        if found.is_none() && self.locks().join(MARK).exists() {
            *found = Some(Leases::new(&self.locks())?);
        }
        Ok(found.clone())
    }

    /// Locks the cache by leases from now on, since its file system has no locks.
    fn lock_by_leases(&self, refusal: &io::Error) -> Result<(), StoreError> {
        let mark = self.locks().join(MARK);
        log::info!("{} is locked by leases: {refusal}", self.root.display());
        match OpenOptions::new().write(true).create_new(true).open(&mark) {
            Ok(_) => for_group(&mark).map_err(StoreError::io("write", &mark)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(StoreError::io("write", &mark)(error)),
        }
    }

    /// Locks a name for `holder`, if it is free.
    pub(super) fn guard(&self, name: &str, holder: &Holder) -> Result<Tried, StoreError> {
        if let Some(leases) = self.leases()? {
            let taken = leases.take(name, holder).map_err(StoreError::io("lock", &self.locks()))?;
            return Ok(match taken {
                Taken::Ours(lease) => Tried::Taken(Guard::of_lease(lease)),
                Taken::Theirs(holder) => Tried::Held(holder),
            });
        }
        let (path, file) = self.lock_file(name)?;
        let mut file = match file.try_lock() {
            Ok(()) => LockedFile::of(file),
            Err(TryLockError::WouldBlock) => return Ok(Tried::Held(read_holder(&path))),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                self.lock_by_leases(&error)?;
                return self.guard(name, holder);
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
        };
        let text = serde_json::to_string(holder).expect("plain data is always JSON");
        let written = file.set_len(0).and_then(|()| file.rewind());
        written
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(StoreError::io("write", &path))?;
        Ok(Tried::Taken(Guard::of_file(file)))
    }

    /// Whether somebody has locked a name, as far as is known.
    pub(super) fn is_guarded(&self, name: &str) -> Result<bool, StoreError> {
        if let Some(leases) = self.leases()? {
            return leases.is_held(name).map_err(StoreError::io("read", &self.locks()));
        }
        let path = self.locks().join(format!("{name}.lock"));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => {
                drop(LockedFile::of(file));
                Ok(false)
            }
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    /// Shares the cache with every other run, once gc has ended.
    pub(super) fn guard_use(&self) -> Result<Guard, StoreError> {
        if let Some(leases) = self.leases()? {
            return share(&leases).map_err(StoreError::io("lock", &self.locks()));
        }
        let (path, file) = self.lock_file(CACHE)?;
        match LockedFile::share(file) {
            Ok(file) => Ok(Guard::of_file(file)),
            Err(error) if has_no_locks(&error) => {
                self.lock_by_leases(&error)?;
                self.guard_use()
            }
            Err(error) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    /// As [`guard_use`](Self::guard_use), where nothing may be created; nothing where nothing need be, or can be.
    pub(super) fn guard_visit(&self) -> Option<Guard> {
        if let Some(leases) = self.leases().ok()? {
            return share(&leases).ok();
        }
        // Without a lock file there was never a run, nor a gc.
        let file = File::open(self.locks().join(format!("{CACHE}.lock"))).ok()?;
        Some(Guard::of_file(LockedFile::share(file).ok()?))
    }

    /// The cache for oneself; nothing if somebody uses it.
    pub(super) fn guard_alone(&self, holder: &Holder) -> Result<Option<Guard>, StoreError> {
        let Tried::Taken(guard) = self.guard(CACHE, holder)? else { return Ok(None) };
        let Some(leases) = self.leases()? else { return Ok(Some(guard)) };
        for name in leases.named(&format!("{CACHE}.use."))? {
            if leases.outlives(&name, holder).map_err(StoreError::io("read", &self.locks()))? {
                return Ok(None);
            }
        }
        Ok(Some(guard))
    }

    fn lock_file(&self, name: &str) -> Result<(PathBuf, File), StoreError> {
        create(&self.locks())?;
        let path = self.locks().join(format!("{name}.lock"));
        let open =
            || OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open();
        for _ in 0..DENIALS {
            if !matches!(&file, Err(error) if error.kind() == ErrorKind::PermissionDenied) {
                break;
            }
            thread::sleep(BETWEEN_DENIALS);
            file = open();
        }
        let file = file.map_err(StoreError::io("write", &path))?;
        // A member of the group may have made it: its mode is right then, or not for others to change.
        let _ = for_group(&path);
        Ok((path, file))
    }
}

/// A lease that says that the cache is used. Who wants it for itself asks for [`CACHE`] first and for these then, so
/// that one of the two sees the other.
fn share(leases: &Arc<Leases>) -> io::Result<Guard> {
    let holder = Holder::this();
    let name = format!("{CACHE}.use.{}", writer());
    let Taken::Ours(lease) = leases.take(&name, &holder)? else {
        return Err(io::Error::other("a name that nobody else has is taken"));
    };
    while leases.is_held(CACHE)? {
        thread::sleep(PATIENCE);
    }
    Ok(Guard::of_lease(lease))
}

/// Whether the file system has no locks, or no server that keeps them.
fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(nix::errno::Errno::ENOLCK as i32) {
        return true;
    }
    error.kind() == ErrorKind::Unsupported
}

fn read_holder(path: &Path) -> Option<Holder> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
