//! What a distilled network minimises.

use super::{Reduction, defaults::kd};
use serde::{Deserialize, Serialize};

/// An objective under its kind's name, as it is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Knowledge distillation.
    Kd(Kd),
}

/// Hinton's knowledge distillation, as in the paper's equation 3:
/// (1−λ)·CE + λ·τ²·KL(softmax(teacher/τ) ‖ softmax(student/τ)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kd {
    /// τ, above 0: the softmax temperature of both teacher and student.
    pub temperature: f64,
    /// λ, in [0, 1]: the weight of the teacher against the labels.
    pub lambda: f64,
    /// Over what the KL divergence is averaged.
    #[serde(default = "kd::reduction::value", skip_serializing_if = "kd::reduction::is")]
    pub reduction: Reduction,
}

impl Kd {
    /// Weight of the KL divergence against that of the cross entropy, as they add up in the
    /// gradient: λτ²/(1−λ), divided by the classes for [`Reduction::Mean`]. Infinite for λ = 1.
    pub fn weight_ratio(&self, classes: usize) -> f64 {
        let divisor = match self.reduction {
            Reduction::Batchmean => 1.0,
            Reduction::Mean => classes as f64,
        };
        self.lambda * self.temperature * self.temperature / divisor / (1.0 - self.lambda)
    }
}
