//! What a layer is, and where there are kernels for it.

use crate::kernels::{geometry::Geometry, norm::After, precision::Precision};
use burn::tensor::{Device, Tensor};

/// A layer's tensors: images `[image, row, column, channel]`, the rest as PyTorch has it.
pub struct Operands {
    /// `[filters, channels of a group, kernel, kernel]`; as many groups as these channels make of x's.
    pub weight: Tensor<4>,
    /// The convolution's bias, `[filters]`. BatchNorm takes any constant away again, so it moves the
    /// mean and nothing else, and its gradient is 0.
    pub bias: Option<Tensor<1>>,
    /// BatchNorm's factor, `[filters]`.
    pub gamma: Tensor<1>,
    /// BatchNorm's summand, `[filters]`.
    pub beta: Tensor<1>,
    /// What is added before the ReLU, of the output's shape.
    pub shortcut: Option<Tensor<4>>,
}

/// How a layer is applied.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Rows and columns of the kernel.
    pub kernel_size: usize,
    /// Pixels between two outputs.
    pub stride: usize,
    /// What follows the normalisation.
    pub after: After,
    /// BatchNorm's ε.
    pub epsilon: f64,
    /// What the convolution multiplies, on a GPU and in training.
    pub precision: Precision,
}

/// Whether this is burn's CPU backend.
pub fn on_cpu(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Whether [`train`](super::train), [`infer`](super::infer) and [`convolve`](super::convolve) take filters `weight`
/// for `x`: those for GPUs know no groups.
pub fn convolves(x: &Tensor<4>, weight: &Tensor<4>) -> bool {
    x.dims()[3] == weight.dims()[1] || on_cpu(&x.device())
}

/// The convolution of images `[image, row, column, channel]` by filters.
pub(crate) fn geometry_of(
    [images, height, width, channels]: [usize; 4],
    [filters, inputs, kernel_size, _]: [usize; 4],
    stride: usize,
) -> Geometry {
    let groups = channels / inputs;
    let fits = groups * inputs == channels && filters.is_multiple_of(groups);
    assert!(fits, "the filters fit the images");
    let input = [height, width];
    Geometry { images, input, channels, filters, groups, kernel_size, stride }
}
