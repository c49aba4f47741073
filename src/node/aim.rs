//! What a node minimises.

use crate::{objective::Supervised, pipeline::Teacher, store::KeyLock};

/// What a node minimises.
pub(super) enum Aim<'a> {
    /// A loss on the labels.
    Labels(&'a dyn Supervised),
    /// An objective with teachers, whose logits are made first if they are missing: then there is a
    /// lock on them.
    Teacher(&'a Teacher, Vec<Option<KeyLock>>),
}
