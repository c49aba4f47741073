//! How pixels become numbers.

use serde::{Deserialize, Serialize};

/// Pixels p in 0..=255 become (p/255 − mean) / std, a channel at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Normalisation {
    /// Mean and standard deviation of the training images, validation included.
    Measured,
    /// These values, a channel each, for pixels scaled to [0, 1].
    Given {
        /// Subtracted.
        mean: Vec<f64>,
        /// Divided by; above 0.
        std: Vec<f64>,
    },
}
