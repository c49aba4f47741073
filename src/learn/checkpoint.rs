//! All that a training needs to go on after an epoch as if it had never stopped.
//!
//! No generator is in it: every random number is a function of (seed, epoch, sample id).

use crate::{history::EpochRecord, net::NamedTensor};
use serde::{Deserialize, Serialize};

/// A training after some whole epochs, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Parameters and running statistics.
    pub weights: Vec<NamedTensor>,
    /// The optimizer's state: `NAME/0`, `NAME/1`, … for each parameter, flat.
    pub optimizer: Vec<NamedTensor>,
    /// The weights of the best epoch so far; empty where none is selected.
    pub best: Vec<NamedTensor>,
    /// Everything that is not a tensor.
    pub state: State,
}

/// The part of a checkpoint that is not tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Updates made.
    pub steps: i32,
    /// Accuracy and number of the best epoch so far.
    pub best: Option<(f64, usize)>,
    /// Every epoch so far.
    pub history: Vec<EpochRecord>,
}
