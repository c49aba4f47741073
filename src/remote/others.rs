//! What is known of others' work: what they have made, and what they make now.
//!
//! Each machine that shares a remote meets each step of its plan. To ask for one costs an operation or more, for each
//! machine and step; a list tells of a thousand. So leases are listed again where something waits for them, which are
//! no more than there are machines, and entries, of which there may be very many, where asking has found as many as
//! their list has pages.

use super::seen::{Places, Seen};
use crate::key::Key;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// What this machine knows of the others' work.
pub(super) struct Others {
    made: Seen,
    /// Entries in the last list, and those that were met since.
    entries: usize,
    making: HashMap<Key, Making>,
    /// Keys whose lease was seen to have gone: they are made, or were given up.
    ended: HashSet<Key>,
    leases_listed: Option<Instant>,
    entries_listed: Option<Instant>,
    /// Keys that turned out to be others' since leases, or entries, were listed.
    met_leases: usize,
    met_entries: usize,
    /// Least time between two lists of leases: the longer, the more of them have told nothing new.
    pause: Duration,
}

/// When a lease was seen last, when it was asked for last, and whether its holder may be dead: asking finds out.
struct Making {
    seen: Instant,
    asked: Instant,
    may_be_dead: bool,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Its entry is there.
    Made,
    /// Somebody makes it.
    Making,
    /// Somebody made it some time ago: a list of leases tells more.
    Stale,
    /// It was not met, or it is time to ask.
    Unknown,
}

/// For how long it is taken for right that somebody makes something.
const FRESH: Duration = Duration::from_millis(400);
/// Time after which a lease whose holder may be dead is asked for again.
const ASK: Duration = Duration::from_secs(20);
/// Least times between two lists.
const SOON: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(5);
/// Keys of others' before the first list.
const SOME: usize = 2;
/// Names that one operation lists: S3's and Azure's most are 1,000 and 5,000.
const PAGE: usize = 1000;

fn has_gone_by(pause: Duration, since: Option<Instant>, now: Instant) -> bool {
    since.is_none_or(|since| now.saturating_duration_since(since) >= pause)
}

impl Others {
    /// Nothing yet, of the keys that have places.
    pub fn new(places: Places) -> Self {
        Self {
            made: Seen::none(places),
            entries: 0,
            making: HashMap::new(),
            ended: HashSet::new(),
            leases_listed: None,
            entries_listed: None,
            met_leases: 0,
            met_entries: 0,
            pause: SOON,
        }
    }

    /// What is known of a key.
    pub fn say(&self, key: &Key, now: Instant) -> Word {
        if self.made.contains(key) {
            return Word::Made;
        }
        match self.making.get(key) {
            None => Word::Unknown,
            Some(Making { asked, may_be_dead: true, .. })
                if has_gone_by(ASK, Some(*asked), now) =>
            {
                Word::Unknown
            }
            Some(making) if has_gone_by(FRESH, Some(making.seen), now) => Word::Stale,
            Some(_) => Word::Making,
        }
    }

    /// Whether its entry was seen, or its lease was seen to have gone.
    pub fn may_be_made(&self, key: &Key) -> bool {
        self.made.contains(key) || self.ended.contains(key)
    }

    /// Asking has found that somebody makes it.
    pub fn meet_making(&mut self, key: &Key, now: Instant) {
        self.making.insert(*key, Making { seen: now, asked: now, may_be_dead: false });
        self.met_leases += 1;
    }

    /// Asking has found that somebody has made it.
    pub fn meet_made(&mut self, key: &Key) {
        self.making.remove(key);
        self.ended.remove(key);
        self.made.insert(key);
        self.met_entries += 1;
        self.entries += 1;
    }

    /// Whether leases should be listed, for a key of which this is known.
    pub fn wants_leases(&self, word: Word, now: Instant) -> bool {
        let asked = word == Word::Stale || (word == Word::Unknown && self.met_leases >= SOME);
        asked && has_gone_by(self.pause, self.leases_listed, now)
    }

    /// The leases that are there, and those of them whose holders may be dead.
    pub fn list_leases<'a>(
        &mut self,
        leased: impl Iterator<Item = &'a Key>,
        may_be_dead: &HashSet<Key>,
        now: Instant,
    ) {
        let leased: HashSet<&Key> = leased.collect();
        (self.leases_listed, self.met_leases) = (Some(now), 0);
        let ended = self.making.extract_if(|key, _| !leased.contains(key));
        let before = self.ended.len();
        self.ended.extend(ended.map(|(key, _)| key));
        let is_new = self.ended.len() > before;
        self.pause = if is_new { SOON } else { (self.pause * 3 / 2).min(LATE) };
        for key in &leased {
            let long_ago = now.checked_sub(ASK).unwrap_or(now);
            let new = Making { seen: now, asked: long_ago, may_be_dead: false };
            let making = self.making.entry(**key).or_insert(new);
            (making.seen, making.may_be_dead) = (now, may_be_dead.contains(*key));
        }
    }

    /// A list has failed, after as long as the remote is waited for: the next one is not at the next step.
    pub fn fail_to_list(&mut self, now: Instant) {
        (self.leases_listed, self.entries_listed) = (Some(now), Some(now));
        (self.met_leases, self.met_entries, self.pause) = (0, 0, LATE);
    }

    /// Whether entries should be listed.
    pub fn wants_entries(&self, now: Instant) -> bool {
        let met = self.met_entries >= SOME + self.entries / PAGE;
        met && has_gone_by(SOON, self.entries_listed, now)
    }

    /// The entries that are there.
    pub fn list_entries(&mut self, there: &HashSet<Key>, now: Instant) {
        (self.entries_listed, self.met_entries) = (Some(now), 0);
        self.entries = there.len();
        self.made.replace(there);
        self.ended.retain(|key| !there.contains(key));
        self.making.retain(|key, _| !there.contains(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn key(number: u32) -> Key {
        blake3::hash(&number.to_le_bytes()).to_hex().parse().unwrap()
    }

    fn others() -> Others {
        Others::new(Arc::new((0..5000).map(|number| (key(number), number as usize)).collect()))
    }

    #[test]
    fn leases_are_listed_where_somebody_waits_and_asked_for_in_the_end() {
        let now = Instant::now();
        let mut others = others();
        assert!(
            others.say(&key(1), now) == Word::Unknown && !others.wants_leases(Word::Unknown, now)
        );
        others.meet_making(&key(1), now);
        assert_eq!(others.say(&key(1), now), Word::Making);
        let later = now + FRESH;
        assert!(
            others.say(&key(1), later) == Word::Stale && others.wants_leases(Word::Stale, later)
        );
        let none = HashSet::new();
        others.list_leases([key(1), key(2)].iter(), &none, later);
        assert!(
            others.say(&key(1), later) == Word::Making
                && others.say(&key(2), later) == Word::Making
        );
        assert!(!others.wants_leases(Word::Stale, later + SOON / 2));
        // Whoever may be dead is asked for.
        others.list_leases([key(1)].iter(), &none, now + ASK);
        assert_eq!(others.say(&key(1), now + ASK), Word::Making);
        others.list_leases([key(1)].iter(), &HashSet::from([key(1)]), now + ASK);
        assert_eq!(others.say(&key(1), now + ASK), Word::Unknown);
        others.fail_to_list(now + ASK);
        assert!(!others.wants_leases(Word::Stale, now + ASK + LATE / 2));
        assert!(others.may_be_made(&key(2)) && others.say(&key(2), now + ASK) == Word::Unknown);
    }

    #[test]
    fn entries_are_listed_once_that_costs_less_than_asking() {
        let now = Instant::now();
        let mut others = others();
        assert!(!others.wants_entries(now));
        (0..SOME as u32).for_each(|number| others.meet_made(&key(number)));
        assert!(others.wants_entries(now));
        others.list_entries(&(0..5000).map(key).collect(), now);
        assert!(others.say(&key(4999), now) == Word::Made && !others.wants_entries(now + SOON));
        (0..SOME as u32 + 5).for_each(|number| others.meet_made(&key(number)));
        assert!(others.wants_entries(now + SOON) && !others.wants_entries(now + SOON / 2));
    }
}
