//! How a network is trained: epochs, batches, optimizer, learning-rate schedule, selection.

use super::{
    Augment, BatchnormWeight, Schedule, Warmup,
    defaults::{adam, adamw, sgd},
    recipe_defaults::recipe,
};
use serde::{Deserialize, Serialize};

/// Everything about a training that is neither network, data nor objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training split, at least 1.
    pub epochs: usize,
    /// Samples in one step, at least 1; an epoch's last batch may be smaller.
    pub batch_size: usize,
    /// The rule that turns gradients into updates.
    pub optimizer: Optimizer,
    /// The learning rate over the epochs.
    #[serde(default = "recipe::schedule::value", skip_serializing_if = "recipe::schedule::is")]
    pub schedule: Schedule,
    /// Epochs of linear warm-up before the schedule.
    #[serde(default = "recipe::warmup::value", skip_serializing_if = "recipe::warmup::is")]
    pub warmup: Warmup,
    /// What is done at random to each training image, in this order.
    #[serde(default = "recipe::augment::value", skip_serializing_if = "recipe::augment::is")]
    pub augment: Vec<Augment>,
    /// Which epoch's weights the node keeps.
    pub select: Select,
    /// What the BatchNorm weights γ of `conv` layers start as.
    #[serde(
        default = "recipe::batchnorm_weight::value",
        skip_serializing_if = "recipe::batchnorm_weight::is"
    )]
    pub batchnorm_weight: BatchnormWeight,
}

/// Update rules, with PyTorch's definitions and names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// `torch.optim.SGD`.
    Sgd {
        /// Learning rate at the start.
        lr: f64,
        /// Momentum in [0, 1); 0 for none.
        #[serde(default = "sgd::momentum::value", skip_serializing_if = "sgd::momentum::is")]
        momentum: f64,
        /// Look-ahead momentum (Sutskever et al. 2013).
        #[serde(default = "sgd::nesterov::value", skip_serializing_if = "sgd::nesterov::is")]
        nesterov: bool,
        /// L2 penalty, added to the gradient.
        #[serde(
            default = "sgd::weight_decay::value",
            skip_serializing_if = "sgd::weight_decay::is"
        )]
        weight_decay: f64,
    },
    /// `torch.optim.Adam`: the penalty is added to the gradient.
    Adam(Adam),
    /// `torch.optim.AdamW`: the penalty shrinks the weights (Loshchilov and Hutter 2019).
    AdamW(#[serde(with = "AdamW")] Adam),
}

/// What Adam and AdamW share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Learning rate at the start.
    pub lr: f64,
    /// Decay of the first and second moments, each in [0, 1).
    #[serde(default = "adam::betas::value", skip_serializing_if = "adam::betas::is")]
    pub betas: [f64; 2],
    /// Added to the denominator.
    #[serde(default = "adam::epsilon::value", skip_serializing_if = "adam::epsilon::is")]
    pub epsilon: f64,
    /// The penalty.
    #[serde(default = "adam::weight_decay::value", skip_serializing_if = "adam::weight_decay::is")]
    pub weight_decay: f64,
}

/// [`Adam`] under AdamW's defaults.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Adam", deny_unknown_fields)]
struct AdamW {
    lr: f64,
    #[serde(default = "adamw::betas::value", skip_serializing_if = "adamw::betas::is")]
    betas: [f64; 2],
    #[serde(default = "adamw::epsilon::value", skip_serializing_if = "adamw::epsilon::is")]
    epsilon: f64,
    #[serde(
        default = "adamw::weight_decay::value",
        skip_serializing_if = "adamw::weight_decay::is"
    )]
    weight_decay: f64,
}

impl Optimizer {
    /// Learning rate before any schedule.
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd { lr, .. } => *lr,
            Self::Adam(adam) | Self::AdamW(adam) => adam.lr,
        }
    }
}

/// Whether an epoch over so many images ends, or goes throughout, in batches of one image: BatchNorm has
/// no variance over one.
pub fn leaves_one(images: usize, batch_size: usize) -> bool {
    images == 1 || batch_size == 1 || images % batch_size == 1
}

/// Which epoch's weights a training keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// Highest top-1 accuracy on the validation split; the earliest such epoch.
    BestValidation,
    /// The last epoch.
    Last,
    /// Highest top-1 accuracy on the test split. Tables say so: such numbers are optimistic.
    BestTest,
}
