//! What an evaluation measures, from logits on the host. A metric is one file of this folder, and one
//! line of [`METRICS`].

mod adaptive_ece;
mod agreement;
mod answers;
mod ece;
mod entropy;
mod fit;
mod fitted_loss;
mod fitted_temperature;
mod inherent_variance;
mod int8;
mod interface;
mod logit_std;
mod logsumexp;
mod loss;
mod metrics;
mod scratch_kl;
mod scratch_rho;
mod sharpness;
mod softmax;
mod teacher_kl;
mod top1;
mod top5;
mod wrong;
mod wrong_probability;
mod wrong_variance;

pub use answers::{Answers, Bin};
pub use fit::Fit;
pub use interface::{Better, Known, Mean, Measure, Metric, Prediction, Setting, Unit};
pub use metrics::{Beside, Metrics, metrics, metrics_beside};
pub(crate) use softmax::log_softmax;

/// Every metric, in the order of manifests and tables.
pub static METRICS: [&Metric; 19] = [
    &top1::TOP1,
    &top5::TOP5,
    &loss::LOSS,
    &ece::ECE,
    &entropy::ENTROPY,
    &sharpness::SHARPNESS,
    &agreement::AGREEMENT,
    &teacher_kl::TEACHER_KL,
    &fitted_temperature::FITTED_TEMPERATURE,
    &fitted_loss::FITTED_LOSS,
    &adaptive_ece::ADAPTIVE_ECE,
    &wrong_probability::WRONG_PROBABILITY,
    &wrong_variance::WRONG_VARIANCE,
    &inherent_variance::INHERENT_VARIANCE,
    &logit_std::LOGIT_STD,
    &logsumexp::LOGSUMEXP,
    &scratch_rho::SCRATCH_RHO,
    &scratch_kl::SCRATCH_KL,
    &int8::INT8,
];
