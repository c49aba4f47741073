//! Initial values of parameters: each from a stream of its own, named for the parameter.

use crate::{
    recipe::BatchnormWeight,
    rng::{Purpose, Stream},
};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::LazyLock;

/// Where a network's initial parameters come from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The training's; without one they are zeros, for who asks for their shapes alone.
    pub seed: Option<u64>,
    /// Initial BatchNorm weights of plain convolutions.
    pub batchnorm_weight: BatchnormWeight,
    /// Where they lie.
    pub device: &'a Device,
}

impl Source<'static> {
    /// Zeros on the CPU.
    pub fn blank() -> Self {
        static CPU: LazyLock<Device> = LazyLock::new(Device::flex);
        Self { seed: None, batchnorm_weight: BatchnormWeight::Ones, device: &CPU }
    }
}

/// PyTorch's default for convolutions and linear layers, weights and biases alike: uniform in
/// ±1/√fan_in (`kaiming_uniform_` with a = √5).
pub fn uniform<const D: usize>(
    name: &str,
    shape: [usize; D],
    fan_in: usize,
    from: Source<'_>,
) -> Tensor<D> {
    let bound = 1.0 / (fan_in as f32).sqrt();
    fill(name, shape, from, |stream| (stream.uniform() * 2.0 - 1.0) * bound)
}

/// Normal with standard deviation √(2/fan_out): `kaiming_normal_(mode="fan_out")`, the ResNets'
/// (He et al. 2015, eq. 14).
pub fn he_normal<const D: usize>(
    name: &str,
    shape: [usize; D],
    fan_out: usize,
    from: Source<'_>,
) -> Tensor<D> {
    let deviation = (2.0 / fan_out as f64).sqrt();
    fill(name, shape, from, |stream| (stream.normal() * deviation) as f32)
}

/// Uniform in [0, 1): `uniform_()`, the BatchNorm weights of PyTorch 1.0.0.
pub(super) fn unit<const D: usize>(name: &str, shape: [usize; D], from: Source<'_>) -> Tensor<D> {
    fill(name, shape, from, Stream::uniform)
}

fn fill<const D: usize>(
    name: &str,
    shape: [usize; D],
    from: Source<'_>,
    mut draw: impl FnMut(&mut Stream) -> f32,
) -> Tensor<D> {
    let Some(seed) = from.seed else { return Tensor::zeros(shape, from.device) };
    let mut stream = Stream::new(seed, Purpose::Init(name), 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| draw(&mut stream)).collect();
    Tensor::from_data(TensorData::new(values, shape), from.device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn values_have_the_promised_spread() {
        let device = Device::flex();
        let batchnorm_weight = BatchnormWeight::Ones;
        let from = Source { seed: Some(3), batchnorm_weight, device: &device };
        let values = |tensor: Tensor<1>| tensor.into_data().try_into_vec_as::<f32>().unwrap();
        let moments = |values: &[f32]| {
            let n = values.len() as f32;
            let mean = values.iter().sum::<f32>() / n;
            (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt())
        };
        let drawn = values(uniform("a", [40_000], 25, from));
        let (mean, deviation) = moments(&drawn);
        assert!(drawn.iter().all(|value| value.abs() <= 0.2));
        assert!(
            mean.abs() < 2e-3 && (deviation - 0.2 / 3f32.sqrt()).abs() < 2e-3,
            "{mean} {deviation}"
        );
        let (mean, deviation) = moments(&values(he_normal("b", [40_000], 50, from)));
        assert!(mean.abs() < 4e-3 && (deviation - 0.2).abs() < 2e-3, "{mean} {deviation}");
        let drawn = values(unit("d", [40_000], from));
        let (mean, deviation) = moments(&drawn);
        assert!(drawn.iter().all(|value| (0.0..1.0).contains(value)));
        assert!((mean - 0.5).abs() < 5e-3 && (deviation - 12f32.sqrt().recip()).abs() < 2e-3);
        assert_ne!(values(uniform("a", [4], 25, from)), values(uniform("c", [4], 25, from)));
    }
}
