//! BatchNorm's running moments.

use super::{Geometry, Host, tensor, values};
use burn::{backend::TensorMetadata, tensor::Tensor};

/// How much of a batch's moments the running ones take: PyTorch's `nn.BatchNorm2d` default.
pub const MOMENTUM: f64 = 0.1;

/// Running mean and variance, `[filters]`, without gradient.
pub type Running = [Tensor<1>; 2];

/// The mean of outputs with their bias, `[filters]`.
pub(super) fn moved(mean: Host, bias: Option<&Host>) -> Host {
    let Some(bias) = bias.map(Host::to_contiguous) else { return mean };
    let sums = values(&mean).iter().zip(values(&bias)).map(|(mean, bias)| mean + bias);
    tensor(sums.collect(), mean.shape())
}

/// The mean of outputs without their bias, `[filters]`.
pub(super) fn unmoved(mean: Host, bias: Option<&Host>) -> Host {
    let Some(bias) = bias.map(Host::to_contiguous) else { return mean };
    let mean = mean.to_contiguous();
    let left = values(&mean).iter().zip(values(&bias)).map(|(mean, bias)| mean - bias);
    tensor(left.collect(), mean.shape())
}

/// Running mean and variance after they have taken their share of a batch's mean and biased variance.
pub(super) fn blend(running: [Host; 2], own: [Host; 2], geometry: &Geometry) -> [Host; 2] {
    let count = (geometry.images * geometry.output_pixels()) as f64;
    // PyTorch keeps the unbiased variance and normalises with the biased one.
    let factors = [1.0, count / (count - 1.0).max(1.0)];
    let (kept, taken) = ((1.0 - MOMENTUM) as f32, MOMENTUM as f32);
    let [mean, variance] = [0, 1].map(|at| {
        let (running, factor) = (running[at].to_contiguous(), factors[at] as f32);
        let both = values(&running).iter().zip(values(&own[at]));
        let blended = both.map(|(running, own)| running * kept + own * factor * taken);
        tensor(blended.collect(), own[at].shape())
    });
    [mean, variance]
}
