//! Locks for file systems that have none: Lustre mounted without `flock`, some FUSE mounts.
//!
//! A lease is a file that its holder creates where none is and changes every few seconds. Whoever waits for it takes
//! it over when it has seen the same content for [`Times::lapse`] by its own clock: no two machines' clocks are
//! compared, and none has to be right (as in `crate::remote`, whose leases are a bucket's). A holder that has died on
//! the machine of who waits is seen to be dead at once. Two that hold one lease all the same, since one of them slept
//! for longer than that, make the same entry twice, and one of the two stays.
//!
//! Whether a cache is locked this way is the cache's own affair, in `locks/by-lease`: all who use it must agree.

use super::{
    Seen, StoreError,
    disk::{for_group, writer},
    holder::Holder,
    list,
};
use crate::mutex::lock;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The file in a cache's `locks` that says that it is locked by leases.
pub(super) const MARK: &str = "by-lease";
/// End of a lease's name.
const LEASE: &str = ".lease";
/// Longest time between a lease's last use and the end of the thread that renews it.
const TICK: Duration = Duration::from_millis(250);

/// How leases end, in seconds; [`MARK`] may hold others, for all who use the cache.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Times {
    /// Between two renewals by its holder.
    renewal: f64,
    /// For how long a waiter must see it unchanged before it takes it over.
    lapse: f64,
}

impl Default for Times {
    fn default() -> Self {
        Self { renewal: 10.0, lapse: 60.0 }
    }
}

/// What a lease says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    /// For people.
    holder: Holder,
    /// Where process numbers are those of `holder`: a start of a machine, and a container in it.
    place: String,
    /// Of the process alone.
    id: String,
    /// Another one in each state of any lease of this process: one that was let go and taken again must not look as if it
    /// had not changed.
    beat: u64,
}

/// The leases of a process on one cache, and what it has seen of others'.
#[derive(Debug)]
pub(super) struct Leases {
    folder: PathBuf,
    times: Times,
    place: String,
    id: String,
    beats: AtomicU64,
    /// Those that are held, with who says so.
    held: Mutex<BTreeMap<String, Holder>>,
    /// The content in which each of others' was seen, and since when.
    seen: Mutex<Seen<String, Vec<u8>>>,
}

/// A lease that is held, until it is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    leases: Arc<Leases>,
    name: String,
}

/// What came of taking a lease.
#[derive(Debug)]
pub(super) enum Taken {
    Ours(Lease),
    Theirs(Option<Holder>),
}

impl Leases {
    /// Of the cache whose locks are in `folder`; its leases are renewed from now on.
    ///
    /// # Errors
    /// [`StoreError::Io`] if [`MARK`] is there and says nothing that can be understood, or no thread can be had.
    pub fn new(folder: &Path) -> Result<Arc<Self>, StoreError> {
        let mark = folder.join(MARK);
        let text = fs::read_to_string(&mark).unwrap_or_default();
        let times: Times = match text.trim() {
            "" => Times::default(),
            text => serde_json::from_str(text)
                .map_err(io::Error::from)
                .and_then(Times::checked)
                .map_err(StoreError::io("understand", &mark))?,
        };
        let leases = Self {
            folder: folder.to_owned(),
            times,
            place: place(),
            id: writer(),
            beats: AtomicU64::new(0),
            held: Mutex::default(),
            seen: Mutex::default(),
        };
        let leases = Arc::new(leases);
        let weak = Arc::downgrade(&leases);
        let renewer = thread::Builder::new().spawn(move || renew_all(&weak));
        renewer.map_err(StoreError::io("renew leases in", folder))?;
        Ok(leases)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{LEASE}"))
    }

    /// What a lease says in its next state.
    fn said(&self, holder: &Holder) -> Vec<u8> {
        let beat = self.beats.fetch_add(1, Ordering::Relaxed);
        let (holder, place, id) = (holder.clone(), self.place.clone(), self.id.clone());
        serde_json::to_vec(&Said { holder, place, id, beat }).expect("plain data is always JSON")
    }

    /// Takes a lease for `holder`, if nobody has it, or whoever had it has died or let it lapse.
    ///
    /// # Errors
    /// The system's, if it is not known whose it is.
    pub fn take(self: &Arc<Self>, name: &str, holder: &Holder) -> io::Result<Taken> {
        loop {
            // Nobody else of this process comes between: all of it is under one lock.
            let mut held = lock(&self.held);
            if let Some(holder) = held.get(name) {
                return Ok(Taken::Theirs(Some(holder.clone())));
            }
            if create(&self.path(name), &self.said(holder))? {
                held.insert(name.to_owned(), holder.clone());
                lock(&self.seen).forget(&name.to_owned());
                return Ok(Taken::Ours(Lease { leases: self.clone(), name: name.to_owned() }));
            }
            let Some(bytes) = read(&self.path(name))? else { continue };
            let said: Option<Said> = serde_json::from_slice(&bytes).ok();
            if !self.is_over(name, &bytes) || !self.end(name, &bytes, holder)? {
                return Ok(Taken::Theirs(said.map(|said| said.holder)));
            }
        }
    }

    /// Whether somebody has a lease, as far as is known; nothing is taken.
    ///
    /// # Errors
    /// The system's.
    pub fn is_held(&self, name: &str) -> io::Result<bool> {
        let Some(bytes) = read(&self.path(name))? else { return Ok(false) };
        Ok(!self.is_over(name, &bytes))
    }

    /// Waits until a lease is seen to be renewed, or to be a dead process's, which is removed; whether it lives.
    ///
    /// # Errors
    /// The system's.
    pub fn outlives(&self, name: &str, holder: &Holder) -> io::Result<bool> {
        let first = read(&self.path(name))?;
        loop {
            let Some(bytes) = read(&self.path(name))? else { return Ok(false) };
            if self.is_over(name, &bytes) && self.end(name, &bytes, holder)? {
                return Ok(false);
            }
            if Some(&bytes) != first.as_ref() {
                return Ok(true);
            }
            thread::sleep(TICK);
        }
    }

    /// Names that begin so, of all leases that are there.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn named(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let names = list(&self.folder)?.into_iter();
        let names = names.filter_map(|name| Some(name.strip_suffix(LEASE)?.to_owned()));
        Ok(names.filter(|name| name.starts_with(prefix)).collect())
    }

    /// Removes a lease that still says `seen`, whose holder is dead; whether it did. One process at a time does so, or
    /// the second would remove what the first has taken.
    fn end(&self, name: &str, seen: &[u8], holder: &Holder) -> io::Result<bool> {
        let ending = format!("{name}.ending");
        if !create(&self.path(&ending), &self.said(holder))? {
            // Whoever ended it may have been killed over it.
            let bytes = read(&self.path(&ending))?;
            if bytes.is_some_and(|bytes| self.is_over(&ending, &bytes)) {
                fs::remove_file(self.path(&ending))?;
            }
            return Ok(false);
        }
        let is_it = read(&self.path(name))?.as_deref() == Some(seen);
        let ended = if is_it { fs::remove_file(self.path(name)) } else { Ok(()) };
        fs::remove_file(self.path(&ending))?;
        ended.map(|()| is_it)
    }

    /// Whether the holder of a lease that says `bytes` is dead, as far as is known.
    fn is_over(&self, name: &str, bytes: &[u8]) -> bool {
        let said: Option<Said> = serde_json::from_slice(bytes).ok();
        said.is_some_and(|said| self.is_dead(&said)) || self.has_lapsed(name, bytes, Instant::now())
    }

    /// Seconds after which a lease that nobody renews is seen to have lapsed.
    pub fn lapse(&self) -> Duration {
        Duration::from_secs_f64(self.times.lapse)
    }

    /// Whether its holder was a process of this machine, and is no more.
    fn is_dead(&self, said: &Said) -> bool {
        let is_here = !self.place.is_empty() && said.place == self.place;
        is_here && !Path::new("/proc").join(said.holder.pid.to_string()).exists()
    }

    /// Whether a lease was seen in this state for long enough; and takes down that it was seen.
    fn has_lapsed(&self, name: &str, bytes: &[u8], now: Instant) -> bool {
        let lasts = lock(&self.seen).lasts(&name.to_owned(), &bytes.to_vec(), now);
        lasts.is_some_and(|lasts| lasts >= self.lapse())
    }

    /// Changes every lease that is held, so that others see that its holder lives.
    fn renew(&self) {
        let all: Vec<String> = lock(&self.held).keys().cloned().collect();
        for name in all {
            let mut held = lock(&self.held);
            let Some(holder) = held.get(&name) else { continue };
            let path = self.path(&name);
            let renewed = match read(&path) {
                Ok(Some(bytes)) if self.is_own(&bytes) => {
                    fs::write(&path, self.said(holder)).map(|()| true)
                }
                // Somebody looked whether it had lapsed, and could not put it back.
                Ok(None) => create(&path, &self.said(holder)),
                Ok(Some(_)) => Ok(false),
                Err(error) => Err(error),
            };
            match renewed {
                Ok(true) => {}
                Ok(false) => {
                    log::warn!("{}: another process has taken it over", path.display());
                    held.remove(&name);
                }
                Err(error) => log::warn!("{}: not renewed: {error}", path.display()),
            }
        }
    }

    fn is_own(&self, bytes: &[u8]) -> bool {
        serde_json::from_slice(bytes).is_ok_and(|said: Said| said.id == self.id)
    }
}

impl Times {
    fn checked(self) -> io::Result<Self> {
        match self.renewal > 0.0 && self.lapse >= 3.0 * self.renewal && self.lapse < 1e6 {
            true => Ok(self),
            false => Err(io::Error::new(
                ErrorKind::InvalidData,
                "`lapse` must be at least three times `renewal`, both in seconds",
            )),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = lock(&self.leases.held);
        let path = self.leases.path(&self.name);
        let is_own = |bytes: Vec<u8>| self.leases.is_own(&bytes);
        // One that another has taken over is the other's.
        if held.remove(&self.name).is_some() && read(&path).ok().flatten().is_some_and(is_own) {
            // What cannot be removed lapses.
            let _ = fs::remove_file(&path);
        }
    }
}

fn renew_all(leases: &Weak<Leases>) {
    let mut last = Instant::now();
    loop {
        thread::sleep(TICK);
        let Some(leases) = leases.upgrade() else { return };
        if last.elapsed().as_secs_f64() >= leases.times.renewal {
            last = Instant::now();
            leases.renew();
        }
    }
}

/// Writes a file where none is; whether none was.
fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            for_group(path)?;
            file.write_all(bytes).map(|()| true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where this process's number means this process: this start of the machine, this container. Empty if unknown.
fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    match boot.is_empty() || space.as_os_str().is_empty() {
        true => String::new(),
        false => format!("{} {}", boot.trim(), space.display()),
    }
}

#[cfg(test)]
mod tests;
