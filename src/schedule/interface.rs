//! What a schedule is to a training.

use std::fmt::Debug;

/// The learning rate of each epoch after the warm-up.
pub trait Schedule: Debug + Send + Sync {
    /// Learning rate throughout the epoch `at`, for an optimizer's rate `base`.
    fn rate(&self, base: f64, at: Epoch) -> f64;

    /// Whether epoch `epoch`, counted from 0, starts with a new optimizer.
    fn restarts(&self, _epoch: usize) -> bool {
        false
    }
}

/// Where in a training an epoch is.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// Counted from 0, the warm-up included; at least `warmup`.
    pub index: usize,
    /// Epochs of warm-up.
    pub warmup: usize,
    /// Epochs of the training.
    pub epochs: usize,
}
