//! What a node minimises.

use crate::{
    key::KeyInputs,
    objective::Supervised,
    pipeline::{Mutual, Teacher},
    store::KeyLock,
};

/// What a node minimises.
pub(super) enum Aim<'a> {
    /// A loss on the labels.
    Labels(&'a dyn Supervised),
    /// An objective with networks that learn beside it.
    Mutual(&'a Mutual),
    /// An objective with teachers, whose logits, where it reads any, are made first if there is a lock on
    /// them.
    Teacher(&'a Teacher, Vec<(KeyInputs, Option<KeyLock>)>),
}
