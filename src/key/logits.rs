//! Keys of teachers' logits.

use super::{DataInputs, KEY_VERSION, Key, KeyInputs, Kind, OutsideInputs, Precision};
use crate::{dataset::Split, keep::Keep};

impl KeyInputs {
    /// Inputs of the logits that the network under `teacher` gives over its training split.
    pub fn logits(teacher: Key, data: DataInputs, keep: Keep) -> Self {
        Self {
            version: KEY_VERSION,
            kind: Kind::Logits,
            net: None,
            recipe: None,
            epoch: None,
            objective: None,
            mutual: None,
            teacher_weights: None,
            outside: None,
            keep,
            weights: None,
            from: None,
            data: Some(data),
            split: Some(Split::Train),
            temperature: None,
            softness: None,
            int8: false,
            seed: None,
            parents: vec![teacher],
            precision: Precision::F32,
        }
    }

    /// Inputs of the logits that a teacher in a file gives over the training split.
    pub fn outside_logits(outside: OutsideInputs, data: DataInputs, keep: Keep) -> Self {
        // What has no parent has no key to stand first.
        let none = Key([0; 32]);
        Self { outside: Some(outside), parents: Vec::new(), ..Self::logits(none, data, keep) }
    }

    /// Inputs of the teachers' logits that a distillation may read, in its parents' order; none for any
    /// other kind.
    pub fn teacher_logits(&self) -> Vec<Self> {
        let Some(data) = self.data.as_ref().filter(|_| self.kind == Kind::Distill) else {
            return Vec::new();
        };
        if let Some(outside) = &self.outside {
            return vec![Self::outside_logits(
                outside.clone(),
                data.of_training_images(),
                self.keep,
            )];
        }
        let logits = |&teacher: &Key| Self::logits(teacher, data.of_training_images(), self.keep);
        self.parents.iter().map(logits).collect()
    }
}
