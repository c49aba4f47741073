//! Which of a plan's keys a machine has seen: a bit each, since a plan may have very many.

use crate::key::Key;
use std::{collections::HashMap, sync::Arc};

/// A number for each key of a plan, from 0.
pub(super) type Places = Arc<HashMap<Key, usize>>;

/// Some of a plan's keys.
pub(super) struct Seen {
    places: Places,
    bits: Vec<u64>,
}

impl Seen {
    /// None of them.
    pub fn none(places: Places) -> Self {
        let bits = vec![0; places.len().div_ceil(64)];
        Self { places, bits }
    }

    /// Whether it is among them.
    pub fn contains(&self, key: &Key) -> bool {
        self.places.get(key).is_some_and(|&at| self.bits[at / 64] >> (at % 64) & 1 == 1)
    }

    /// Adds one; a key that is none of the plan's is not asked for either.
    pub fn insert(&mut self, key: &Key) {
        if let Some(&at) = self.places.get(key) {
            self.bits[at / 64] |= 1 << (at % 64);
        }
    }

    /// These in place of those before.
    pub fn replace<'a>(&mut self, keys: impl IntoIterator<Item = &'a Key>) {
        self.bits.fill(0);
        keys.into_iter().for_each(|key| self.insert(key));
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use crate::key::Key;
    use std::sync::Arc;

    #[test]
    fn keys_are_seen_one_by_one_or_all_anew() {
        let keys: Vec<Key> = (0u32..200)
            .map(|number| blake3::hash(&number.to_le_bytes()).to_hex().parse().unwrap())
            .collect();
        let (ours, other) = (&keys[..130], &keys[130]);
        let places = ours.iter().copied().enumerate().map(|(at, key)| (key, at)).collect();
        let mut seen = Seen::none(Arc::new(places));
        assert!(!keys.iter().any(|key| seen.contains(key)));
        seen.insert(&ours[129]);
        seen.insert(other);
        let found = |seen: &Seen| -> Vec<usize> {
            (0..keys.len()).filter(|&at| seen.contains(&keys[at])).collect()
        };
        assert_eq!(found(&seen), [129]);
        seen.replace([&ours[0], other, &ours[63], &ours[64]]);
        assert_eq!(found(&seen), [0, 63, 64]);
    }
}
