//! How a network is trained: epochs, batches, optimizer, learning-rate schedule, selection.

pub use crate::kernels::Precision;
use crate::{augment::Augment, kind::Choice, optimizer::Optimizer, schedule::Schedule};
use serde::{Deserialize, Serialize};

/// Everything about a training that is neither network, data nor objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Passes over the training split, at least 1.
    pub epochs: usize,
    /// Samples in one step, at least 1; an epoch's last batch may be smaller.
    pub batch_size: usize,
    /// The rule that turns gradients into updates.
    pub optimizer: Choice<dyn Optimizer>,
    /// The learning rate over the epochs.
    pub schedule: Choice<dyn Schedule>,
    /// Epochs of linear warm-up before the schedule: epoch e of w trains with (e+1)/(w+1) of the rate.
    pub warmup: usize,
    /// What is done at random to each training image, in this order.
    pub augment: Vec<Choice<dyn Augment>>,
    /// Which epoch's weights the node keeps.
    pub select: Select,
    /// What the BatchNorm weights γ of `conv` layers start as.
    pub batchnorm_weight: BatchnormWeight,
    /// What its convolutions multiply.
    pub precision: Precision,
}

impl Recipe {
    /// Learning rate throughout epoch `epoch`, counted from 0.
    pub fn learning_rate(&self, epoch: usize) -> f64 {
        let (base, warmup) = (self.optimizer.lr(), self.warmup);
        if epoch < warmup {
            return base * (epoch + 1) as f64 / (warmup + 1) as f64;
        }
        let at = crate::schedule::Epoch { index: epoch, warmup, epochs: self.epochs };
        self.schedule.rate(base, at)
    }
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

/// Whether a training that no longer learns continues. It decides no bit of what comes out, and so
/// is in no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnCollapse {
    /// It continues, and a line says so.
    Warn,
    /// It fails: what would learn from it would learn nothing.
    Stop,
}

/// Whether an epoch over so many images ends, or goes throughout, in batches of one image: BatchNorm has
/// no variance over one.
pub fn leaves_one(images: usize, batch_size: usize) -> bool {
    images == 1 || batch_size == 1 || images % batch_size == 1
}
