//! How a network is trained: epochs, batches, optimizer, learning-rate schedule, selection.

use super::defaults::{adam, adamw, cosine, recipe, sgd, step};
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

/// Initial BatchNorm weights γ of `conv` layers. Residual layers start at 1 whatever this says, as the
/// authors' ResNets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchnormWeight {
    /// 1, as `torch.nn.BatchNorm2d` today.
    Ones,
    /// Uniform in [0, 1), as `torch.nn.BatchNorm2d` of PyTorch 1.0.0, which the authors' code asks for.
    Uniform,
}

/// A random change of a training image, drawn from (seed, epoch, sample id).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Augment {
    /// A part of 8 to 100 % of the image, 3:4 to 4:3, brought to the size of the images (Szegedy et
    /// al. 2015, section 6, as torchvision's `RandomResizedCrop`). Only as the first change: it is
    /// cut out of the image as it is in its file.
    ResizedCrop,
    /// Four black pixels around the image, then a crop of its old size anywhere in it
    /// (He et al. 2016, section 4.2).
    Crop,
    /// Mirrored left to right, half of the time.
    Flip,
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

/// Epochs of warm-up: epoch e of w trains with (e+1)/(w+1) of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Warmup(pub usize);

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
