//! Since when something of another process has not changed, by one's own clock: no two machines' clocks are compared.

use std::{collections::HashMap, hash::Hash, time::Duration, time::Instant};

/// The states in which things were seen, and since when.
#[derive(Debug)]
pub(crate) struct Seen<K, S>(HashMap<K, (S, Instant)>);

impl<K, S> Default for Seen<K, S> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone, S: PartialEq + Clone> Seen<K, S> {
    /// For how long a thing has been in this state at `now`; nothing if it was not seen in it before, which is taken
    /// down.
    pub fn lasts(&mut self, key: &K, state: &S, now: Instant) -> Option<Duration> {
        match self.0.get(key) {
            Some((before, since)) if before == state => Some(now.saturating_duration_since(*since)),
            _ => {
                self.0.insert(key.clone(), (state.clone(), now));
                None
            }
        }
    }

    /// The state in which a thing was seen last, and since when.
    pub fn last(&self, key: &K) -> Option<&(S, Instant)> {
        self.0.get(key)
    }

    /// What is nobody else's any more.
    pub fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Keeps what is still there.
    pub fn retain(&mut self, is_there: impl Fn(&K) -> bool) {
        self.0.retain(|key, _| is_there(key));
    }
}
