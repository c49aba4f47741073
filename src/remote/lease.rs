//! Leases: which machine makes an entry, so that the others make something else meanwhile.
//!
//! A lease is an object that its holder changes again and again. Whoever waits looks at it, and takes it over when
//! it has seen the same state for [`LeaseTimes::lapse`] by its own clock: no two machines' clocks are compared, and
//! none has to be right. Two machines that hold one lease all the same, since one of them was asleep or cut off, make
//! the same entry twice, of which the remote keeps the first; nothing is lost but time.

use super::{LEASES, Remote, RemoteError, Version};
use crate::{
    key::Key,
    mutex::lock,
    store::{Holder, Seen, host},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What tells the time: a simulation has its own.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// How leases end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// Time between two renewals by its holder.
    pub renewal: Duration,
    /// Time for which a waiter must see it unchanged before it takes it over. A holder keeps its lease through delays
    /// of the difference, and clocks may run at rates whose ratio is below that of the two.
    pub lapse: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self { renewal: Duration::from_secs(20), lapse: Duration::from_secs(120) }
    }
}

/// What a lease says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    /// For people.
    holder: Holder,
    /// Of the process alone: in containers machines and processes have the same names and numbers.
    id: String,
    /// Another one in each state of any lease of this process: one that was let go and taken again must not look as if it
    /// had not changed.
    beat: u64,
}

/// What came of taking a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is this process's; of whom it was taken over, if it was.
    Ours(Option<Holder>),
    /// Another process has it; which, if it can be read.
    Theirs(Option<Holder>),
}

/// A lease of this process.
struct Held {
    version: Version,
    /// By how many steps: several students wait for one teacher's logits.
    count: usize,
    renewed: Instant,
    /// Whether another process has taken it over.
    is_lost: bool,
}

/// The leases of a process, and what it has seen of others'.
pub struct Leases {
    remote: Arc<Remote>,
    times: LeaseTimes,
    holder: Holder,
    id: String,
    beats: AtomicU64,
    held: Mutex<BTreeMap<Key, Arc<Mutex<Held>>>>,
    /// The content in which each was seen, and since when.
    seen: Mutex<Seen<Key, Vec<u8>>>,
    /// The state in which each was listed, in the bucket's words, and since when.
    listed: Mutex<Seen<Key, Version>>,
}

/// Most bytes of a lease.
const MOST: u64 = 4096;

fn path(key: &Key) -> String {
    format!("{LEASES}/{key}")
}

impl Leases {
    /// None yet.
    pub fn new(remote: Arc<Remote>, times: LeaseTimes) -> Self {
        let random = || RandomState::new().hash_one(());
        let id = format!("{}.{:016x}{:016x}", host(), random(), random());
        let (held, seen, listed) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (holder, beats) = (Holder::this(), AtomicU64::new(0));
        Self { remote, times, holder, id, beats, held, seen, listed }
    }

    /// What a lease says in its next state.
    fn said(&self) -> Vec<u8> {
        let beat = self.beats.fetch_add(1, Ordering::Relaxed);
        let said = Said { holder: self.holder.clone(), id: self.id.clone(), beat };
        serde_json::to_vec(&said).expect("plain data is always JSON")
    }

    /// Takes the lease of `key` at `now`, if nobody has it, or whoever had it has let it lapse.
    ///
    /// # Errors
    /// [`RemoteError`] if it is not known whose it is.
    pub fn take(&self, key: &Key, now: Instant) -> Result<Taken, RemoteError> {
        // Never both locks at a time in this order: a release takes them in the other one.
        let held = lock(&self.held).get(key).cloned();
        if let Some(mut held) = held.as_ref().map(|held| lock(held)).filter(|held| held.count > 0) {
            held.count += 1;
            return Ok(Taken::Ours(None));
        }
        if let Some(version) = self.remote.objects.create(&path(key), self.said())? {
            self.hold(key, version, now);
            return Ok(Taken::Ours(None));
        }
        let Some(object) = self.remote.objects.read(&path(key), MOST)? else {
            // It was released this moment: whoever had it may have made the entry.
            return Ok(Taken::Theirs(None));
        };
        let said: Option<Said> = serde_json::from_slice(&object.bytes).ok();
        let is_ours = said.as_ref().is_some_and(|said| said.id == self.id);
        let holder = said.map(|said| said.holder);
        if is_ours {
            // The answer to its creation was lost.
            self.hold(key, object.version, now);
            return Ok(Taken::Ours(None));
        }
        let has_lapsed = self.has_lapsed(key, &object.bytes, now)
            || self.has_lapsed_in_lists(key, &object.version, now);
        if !has_lapsed {
            return Ok(Taken::Theirs(holder));
        }
        match self.remote.objects.replace(&path(key), self.said(), &object.version)? {
            Some(version) => {
                self.hold(key, version, now);
                Ok(Taken::Ours(holder))
            }
            None => Ok(Taken::Theirs(holder)),
        }
    }

    fn hold(&self, key: &Key, version: Version, now: Instant) {
        lock(&self.seen).forget(key);
        lock(&self.listed).forget(key);
        let held = Held { version, count: 1, renewed: now, is_lost: false };
        lock(&self.held).insert(*key, Arc::new(Mutex::new(held)));
    }

    /// Whether a lease was seen in this state for long enough; and takes down that it was seen.
    fn has_lapsed(&self, key: &Key, bytes: &[u8], now: Instant) -> bool {
        let lasts = lock(&self.seen).lasts(key, &bytes.to_vec(), now);
        lasts.is_some_and(|lasts| lasts >= self.times.lapse)
    }

    /// Whether this process has the lease of a key.
    pub fn holds(&self, key: &Key) -> bool {
        lock(&self.held).contains_key(key)
    }

    /// Takes down in which state other processes' leases were listed; those that are worth a try to take them: they have
    /// not changed for so long that their holder is dead, or the bucket does not say which state they are in.
    pub fn list(&self, leased: &HashMap<Key, Version>, now: Instant) -> HashSet<Key> {
        let mut listed = lock(&self.listed);
        listed.retain(|key| leased.contains_key(key));
        let open = leased.iter().filter(|(key, version)| {
            let lasts = listed.lasts(key, version, now);
            lasts.is_some_and(|lasts| version.e_tag.is_none() || lasts >= self.times.lapse)
        });
        open.map(|(key, _)| *key).collect()
    }

    /// Whether lists have shown a lease in the state in which it is now for long enough. Lists and objects may have
    /// other words for it (quotes): then its content tells, as it does where nothing is listed.
    fn has_lapsed_in_lists(&self, key: &Key, version: &Version, now: Instant) -> bool {
        let plain = |v: &Version| v.e_tag.as_ref().map(|tag| tag.trim_matches('"').to_owned());
        lock(&self.listed).last(key).is_some_and(|(before, since)| {
            let is_same = plain(version).is_some() && plain(before) == plain(version);
            is_same && now.saturating_duration_since(*since) >= self.times.lapse
        })
    }

    /// Changes every lease that is held, so that others see that its holder lives; the keys of those that another
    /// process has taken over. One that cannot be reached is tried at the next renewal.
    pub fn renew(&self, now: Instant) -> Vec<Key> {
        let all: Vec<(Key, Arc<Mutex<Held>>)> =
            lock(&self.held).iter().map(|(key, held)| (*key, held.clone())).collect();
        let mut lost = Vec::new();
        for (key, held) in all {
            let mut held = lock(&held);
            if held.count == 0 || held.is_lost {
                continue;
            }
            let said = self.said();
            match self.remote.objects.replace(&path(&key), said, &held.version) {
                Ok(Some(version)) => (held.version, held.renewed) = (version, now),
                // A renewal whose answer was lost is in the way of the next one.
                Ok(None) => match self.read_own(&key) {
                    Some(version) => held.version = version,
                    None => {
                        held.is_lost = true;
                        lost.push(key);
                    }
                },
                Err(error) => log::warn!("the lease of {key:?} is not renewed: {error}"),
            }
        }
        lost
    }

    /// The state of a lease, if it is this process's.
    fn read_own(&self, key: &Key) -> Option<Version> {
        let object = self.remote.objects.read(&path(key), MOST).ok().flatten()?;
        let said: Said = serde_json::from_slice(&object.bytes).ok()?;
        (said.id == self.id).then_some(object.version)
    }

    /// Lets go of a lease once: the last that holds it removes it.
    ///
    /// # Errors
    /// [`RemoteError`] if it may still be there; it lapses then.
    pub fn release(&self, key: &Key, now: Instant) -> Result<(), RemoteError> {
        let Some(held) = lock(&self.held).get(key).cloned() else { return Ok(()) };
        let mut held = lock(&held);
        held.count = held.count.saturating_sub(1);
        if held.count > 0 {
            return Ok(());
        }
        lock(&self.held).remove(key);
        // After a long silence it may be another's, whose it then stays.
        let is_stale = now.saturating_duration_since(held.renewed) > self.times.lapse / 2;
        if held.is_lost || (is_stale && self.read_own(key).is_none()) {
            return Ok(());
        }
        self.remote.objects.remove(&path(key))
    }

    /// Lets go of all.
    pub fn release_all(&self, now: Instant) {
        let keys: Vec<Key> = lock(&self.held).keys().copied().collect();
        for key in keys {
            let held = lock(&self.held).get(&key).cloned();
            held.iter().for_each(|held| lock(held).count = 1);
            if let Err(error) = self.release(&key, now) {
                log::warn!("the lease of {key:?} lapses by itself: {error}");
                return;
            }
        }
    }

    /// Time between two renewals.
    pub fn renewal(&self) -> Duration {
        self.times.renewal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::{memory::Memory, objects::Objects};

    const KEY: &str = "8ad3f47d1c9d1ac6a0f4d9d3b1a1e2f3c4b5a69788796a5b4c3d2e1f0a1b2c3d";

    fn two() -> (Memory, Leases, Leases, Key) {
        let memory = Memory::default();
        let leases = || {
            let remote = Remote::with(Box::new(memory.clone()), "memory");
            Leases::new(Arc::new(remote), LeaseTimes::default())
        };
        (memory.clone(), leases(), leases(), KEY.parse().unwrap())
    }

    fn is_theirs(taken: Result<Taken, RemoteError>) -> bool {
        matches!(taken, Ok(Taken::Theirs(_)))
    }

    #[test]
    fn a_lease_is_one_machines_until_it_is_released() {
        let (_, ours, theirs, key) = two();
        let now = Instant::now();
        assert_eq!(ours.take(&key, now).unwrap(), Taken::Ours(None));
        assert_eq!(ours.take(&key, now).unwrap(), Taken::Ours(None), "a second step of ours");
        assert!(is_theirs(theirs.take(&key, now)));
        ours.release(&key, now).unwrap();
        assert!(is_theirs(theirs.take(&key, now)), "a step of ours still needs it");
        ours.release(&key, now).unwrap();
        assert_eq!(theirs.take(&key, now).unwrap(), Taken::Ours(None));
    }

    #[test]
    fn it_is_taken_over_when_it_was_seen_unchanged_for_long_enough_by_ones_own_clock() {
        let (_, ours, theirs, key) = two();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        ours.take(&key, start).unwrap();
        assert!(is_theirs(theirs.take(&key, after(1000))), "however late it is seen first");
        assert!(is_theirs(theirs.take(&key, after(1100))));
        assert!(ours.renew(start).is_empty(), "whatever the holder's clock says");
        assert!(is_theirs(theirs.take(&key, after(1120))), "it has changed");
        assert!(is_theirs(theirs.take(&key, after(1239))));
        let taken = theirs.take(&key, after(1240)).unwrap();
        assert_eq!(taken, Taken::Ours(Some(ours.holder.clone())));
        assert_eq!(ours.renew(after(1241)), [key], "its holder hears of it");
        ours.release(&key, after(1242)).unwrap();
        assert!(is_theirs(ours.take(&key, after(1243))), "and leaves it alone");
    }

    #[test]
    fn one_that_was_let_go_and_taken_again_has_not_been_unchanged_meanwhile() {
        let (memory, ours, theirs, key) = two();
        let start = Instant::now();
        let late = start + Duration::from_secs(500);
        let lists = || {
            let listed = memory.list("leases").unwrap().into_iter();
            listed.map(|(name, version)| (name.parse().unwrap(), version)).collect()
        };
        ours.take(&key, start).unwrap();
        assert!(is_theirs(theirs.take(&key, start)) && theirs.list(&lists(), start).is_empty());
        ours.release(&key, start).unwrap();
        ours.take(&key, late).unwrap();
        assert!(is_theirs(theirs.take(&key, late)) && theirs.list(&lists(), late).is_empty());
    }

    #[test]
    fn of_two_that_wait_one_takes_it_over() {
        let (memory, ours, theirs, key) = two();
        let third = Remote::with(Box::new(memory), "memory");
        let third = Leases::new(Arc::new(third), LeaseTimes::default());
        let start = Instant::now();
        let late = start + Duration::from_secs(500);
        ours.take(&key, start).unwrap();
        for waiter in [&theirs, &third] {
            assert!(is_theirs(waiter.take(&key, start)));
        }
        assert!(matches!(theirs.take(&key, late), Ok(Taken::Ours(Some(_)))));
        assert!(is_theirs(third.take(&key, late)));
    }

    #[test]
    fn what_nobody_can_read_lapses_too_and_a_read_only_bucket_says_so() {
        let (memory, ours, _, key) = two();
        let start = Instant::now();
        memory.write(&path(&key), b"???".to_vec()).unwrap();
        assert!(is_theirs(ours.take(&key, start)));
        assert_eq!(ours.take(&key, start + Duration::from_secs(120)).unwrap(), Taken::Ours(None));
        ours.release_all(start);
        assert!(memory.list("leases").unwrap().is_empty());
        memory.is_read_only.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(matches!(ours.take(&key, start), Err(RemoteError::Refused { .. })));
    }

    #[test]
    fn a_creation_whose_answer_was_lost_is_known_again() {
        let (memory, ours, _, key) = two();
        memory.write(&path(&key), ours.said()).unwrap();
        assert_eq!(ours.take(&key, Instant::now()).unwrap(), Taken::Ours(None));
    }
}
