//! How many digits a training's convolutions multiply with.

use serde::{Deserialize, Serialize};

/// What convolutions of a training multiply, where a GPU has units for it; sums, and all else, stay f32. A CPU, and a
/// GPU that has no such units, multiply f32 whatever this says: that is never less exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32, 23 bits of fraction.
    #[default]
    F32,
    /// NVIDIA's TF32, 10 bits of fraction, f32's range; from Ampere on.
    Tf32,
    /// bfloat16, 7 bits of fraction, f32's range, so that no loss need be scaled; from Ampere on.
    Bf16,
}
