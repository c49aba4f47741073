//! How training images are changed at random.

use crate::{augment::Augment, kind::Choice};

/// How training images are changed at random, drawn for each sample from (seed, epoch, sample id).
#[derive(Clone, Copy)]
pub struct Changes<'a> {
    /// One after another; at least one.
    pub augment: &'a [Choice<dyn Augment>],
    /// The training's seed.
    pub seed: u64,
    /// Counted from 0.
    pub epoch: u64,
}
