//! The learning rate over the epochs.

use super::defaults::{cosine, step};
use serde::{Deserialize, Serialize};

/// Learning rate over the epochs that follow the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Schedule {
    /// The optimizer's rate throughout.
    Constant {},
    /// Multiplied by `gamma` at the start of each of these epochs (counted from 0).
    Step {
        /// Epochs at which the rate falls.
        milestones: Vec<usize>,
        /// Factor at each of them.
        #[serde(default = "step::gamma::value", skip_serializing_if = "step::gamma::is")]
        gamma: f64,
        /// Whether the optimizer starts anew at each of them, without momentum.
        #[serde(default = "step::restart::value", skip_serializing_if = "step::restart::is")]
        restart: bool,
    },
    /// Half a cosine from the optimizer's rate to `min` (Loshchilov and Hutter 2017, eq. 5).
    Cosine {
        /// Rate that the last epoch comes near to.
        #[serde(default = "cosine::min::value", skip_serializing_if = "cosine::min::is")]
        min: f64,
    },
}
