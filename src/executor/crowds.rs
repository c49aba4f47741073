//! Steps that wait behind keys that others make. Of those behind one key, one is tried again for all: a machine that waits
//! for a teacher's logits would otherwise try that teacher's thousand students every few seconds.

use crate::key::Key;
use std::collections::HashMap;

/// Who waits behind what.
#[derive(Clone, Default)]
pub(super) struct Crowds {
    /// Behind each key, those that are not tried again by themselves.
    crowds: HashMap<Key, Vec<usize>>,
    /// The others: behind which key each is tried again.
    scouts: HashMap<usize, Key>,
}

impl Crowds {
    /// The key behind which a step is tried again for a crowd.
    pub fn behind(&self, index: usize) -> Option<Key> {
        self.scouts.get(&index).copied()
    }

    /// A step waits behind `key`: whether it is the one that is tried again.
    pub fn join(&mut self, index: usize, key: Key) -> bool {
        if self.behind(index) == Some(key) {
            return true;
        }
        if let Some(crowd) = self.crowds.get_mut(&key) {
            crowd.push(index);
            return false;
        }
        self.crowds.insert(key, Vec::new());
        self.scouts.insert(index, key);
        true
    }

    /// A step no longer waits behind the key behind which it was tried again: those who waited with it.
    pub fn disperse(&mut self, index: usize) -> Vec<usize> {
        let key = self.scouts.remove(&index);
        key.and_then(|key| self.crowds.remove(&key)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_tried_again_for_all() {
        let [one, other]: [Key; 2] =
            ["1", "2"].map(|name| blake3::hash(name.as_bytes()).to_hex().parse().unwrap());
        let mut crowds = Crowds::default();
        assert!(crowds.join(5, one) && !crowds.join(6, one) && !crowds.join(7, one));
        assert!(crowds.join(8, other));
        assert!(crowds.join(5, one), "it is still the one");
        assert_eq!((crowds.behind(5), crowds.behind(6)), (Some(one), None));
        assert!(crowds.disperse(6).is_empty());
        assert_eq!(crowds.disperse(5), [6, 7]);
        assert!(crowds.disperse(5).is_empty());
        assert!(crowds.join(7, one), "the next one");
        assert_eq!(crowds.behind(8), Some(other));
    }
}
