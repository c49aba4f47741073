//! What a distilled network minimises.

use serde::{Deserialize, Serialize};

/// Hinton's knowledge distillation, as in the paper's equation 3:
/// (1−λ)·CE + λ·τ²·KL(softmax(teacher/τ) ‖ softmax(student/τ)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kd {
    /// τ, above 0: the softmax temperature of both teacher and student.
    pub temperature: f64,
    /// λ, in [0, 1]: the weight of the teacher against the labels.
    pub lambda: f64,
}
