//! What a list of the remote has told of others' work.

use crate::key::Key;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// A list of the remote, from some time ago.
#[derive(Default)]
pub(super) struct Listed {
    /// Keys of entries.
    pub made: HashSet<Key>,
    /// Keys that somebody made at that time.
    pub leased: HashSet<Key>,
    pub at: Option<Instant>,
    /// Steps that turned out to be others' since.
    pub in_vain: usize,
}

/// What a list says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Its entry is there.
    Made,
    /// Somebody makes it, or did so very lately.
    Leased,
}

/// For how long a list is right that somebody makes something.
const FRESH: Duration = Duration::from_secs(5);
/// Least time between two lists.
const PAUSE: Duration = Duration::from_secs(1);
/// Steps of others' work before the first list: asking for each takes three operations, a list of a small remote two.
const SOME: usize = 2;
/// Names that one operation lists: S3's and Azure's most are 1,000 and 5,000.
const PAGE: usize = 1000;

impl Listed {
    /// Whether as many steps turned out to be others' since the last list as a list has operations.
    pub fn is_due(&self, now: Instant) -> bool {
        let pages = (self.made.len() + self.leased.len()) / PAGE;
        let rested = self.at.is_none_or(|at| now.saturating_duration_since(at) >= PAUSE);
        rested && self.in_vain >= SOME + pages
    }

    /// What the list said of a key. Entries stay; who made something has ended by now, or will.
    pub fn says(&self, key: &Key, now: Instant) -> Option<Word> {
        let is_fresh = || self.at.is_some_and(|at| now.saturating_duration_since(at) < FRESH);
        match self.made.contains(key) {
            true => Some(Word::Made),
            false => (self.leased.contains(key) && is_fresh()).then_some(Word::Leased),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_listed_once_that_costs_less_than_asking() {
        let now = Instant::now();
        let mut listed = Listed::default();
        assert!(!listed.is_due(now));
        listed.in_vain = SOME;
        assert!(listed.is_due(now));
        listed.at = Some(now);
        assert!(!listed.is_due(now) && listed.is_due(now + PAUSE));
        let key = |number: u32| blake3::hash(&number.to_le_bytes()).to_hex().parse().unwrap();
        listed.made = (0..5000).map(key).collect();
        assert!(!listed.is_due(now + PAUSE));
        listed.in_vain = SOME + 5;
        assert!(listed.is_due(now + PAUSE));
        listed.leased = HashSet::from([key(7000)]);
        assert_eq!(listed.says(&key(3), now + PAUSE * 100), Some(Word::Made));
        assert_eq!(listed.says(&key(7000), now + PAUSE), Some(Word::Leased));
        assert_eq!(listed.says(&key(7000), now + FRESH), None);
        assert_eq!(listed.says(&key(8000), now), None);
    }
}
