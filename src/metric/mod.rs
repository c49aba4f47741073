//! What an evaluation measures, from logits on the host. A metric is one file of this folder, and one
//! line of [`METRICS`].

mod ece;
mod entropy;
mod interface;
mod loss;
mod metrics;
mod sharpness;
mod softmax;
mod top1;
mod top5;

pub use interface::{Better, Mean, Measure, Metric, Prediction, Setting, Unit};
pub use metrics::{Metrics, metrics};

/// Every metric, in the order of manifests and tables.
pub static METRICS: [&Metric; 6] =
    [&top1::TOP1, &top5::TOP5, &loss::LOSS, &ece::ECE, &entropy::ENTROPY, &sharpness::SHARPNESS];
