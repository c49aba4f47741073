//! Choices that stand by themselves: none holds a field with a default of its own.

use serde::{Deserialize, Serialize};

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

/// Epochs of warm-up: epoch e of w trains with (e+1)/(w+1) of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Warmup(pub usize);

/// How the KL divergences of a batch become one number; names and meaning are PyTorch's `kl_div`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduction {
    /// Summed over the classes, averaged over the batch: the divergence of the formula.
    Batchmean,
    /// Averaged over batch and classes, as the authors' published code does: the divergence divided
    /// by the number of classes.
    Mean,
}

/// Pixels p in 0..=255 become (p/255 − mean) / std, a channel at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Normalisation {
    /// Mean and standard deviation of the training images, validation included.
    Measured,
    /// These values, a channel each, for pixels scaled to [0, 1].
    Given {
        /// Subtracted.
        mean: Vec<f64>,
        /// Divided by; above 0.
        std: Vec<f64>,
    },
}
