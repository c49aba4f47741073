//! Keys of teachers' logits.

use super::{DataInputs, Key, KeyInputs, Kind, OutsideInputs};
use crate::{dataset::Split, keep::Keep};

impl KeyInputs {
    /// Inputs of the logits that the network under `teacher` gives over its training split.
    pub fn logits(teacher: Key, data: DataInputs, keep: Keep) -> Self {
        let parents = vec![teacher];
        Self { parents, ..Self::logits_of(data, keep) }
    }

    /// Inputs of the logits that a teacher in a file gives over the training split.
    pub fn outside_logits(outside: OutsideInputs, data: DataInputs, keep: Keep) -> Self {
        Self { outside: Some(outside), ..Self::logits_of(data, keep) }
    }

    fn logits_of(data: DataInputs, keep: Keep) -> Self {
        let (data, split) = (Some(data), Some(Split::Train));
        Self { data, split, keep, ..Self::of(Kind::Logits) }
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
