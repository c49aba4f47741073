//! What an evaluation measures, from logits on the host. A metric is one file of this folder, and one
//! line of [`METRICS`].

mod agreement;
mod ece;
mod entropy;
mod interface;
mod loss;
mod metrics;
mod sharpness;
mod softmax;
mod teacher_kl;
mod top1;
mod top5;

pub use interface::{Better, Mean, Measure, Metric, Prediction, Setting, Unit};
pub use metrics::{Metrics, metrics, metrics_beside};

/// Every metric, in the order of manifests and tables.
pub static METRICS: [&Metric; 8] = [
    &top1::TOP1,
    &top5::TOP5,
    &loss::LOSS,
    &ece::ECE,
    &entropy::ENTROPY,
    &sharpness::SHARPNESS,
    &agreement::AGREEMENT,
    &teacher_kl::TEACHER_KL,
];
