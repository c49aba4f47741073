//! What of a teacher in a file decides its logits.

use crate::pipeline::Outside;
use serde::{Deserialize, Serialize};

/// A teacher in a file: its content, and how images come to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum OutsideInputs {
    /// A network.
    Onnx {
        /// blake3 of its file, and of those that hold its weights.
        digest: String,
        /// Channels, height and width that images are scaled to.
        input: [usize; 3],
        /// What pixels between 0 and 1 are normalised with.
        mean: Vec<f64>,
        /// The same.
        std: Vec<f64>,
    },
    /// Rows of logits.
    Logits {
        /// blake3 of the file.
        digest: String,
    },
}

impl From<&Outside> for OutsideInputs {
    fn from(outside: &Outside) -> Self {
        match outside {
            Outside::Onnx { digest, input, mean, std, path: _ } => Self::Onnx {
                digest: digest.clone(),
                input: [input.channels, input.height, input.width],
                mean: mean.clone(),
                std: std.clone(),
            },
            Outside::Logits { digest, path: _ } => Self::Logits { digest: digest.clone() },
        }
    }
}
