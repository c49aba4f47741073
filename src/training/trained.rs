//! What a training gives.

use crate::{history::EpochRecord, network::NamedTensor};

/// A finished training.
pub struct Trained {
    /// The selected epoch's weights and running statistics.
    pub weights: Vec<NamedTensor>,
    /// Every epoch.
    pub history: Vec<EpochRecord>,
    /// The epoch that `weights` come from, counted from 1.
    pub selected: usize,
    /// The epoch after which it was seen to learn nothing any more, counted from 1.
    pub collapsed: Option<usize>,
    /// The networks that learned beside it, in their order.
    pub peers: Vec<Trained>,
}
