//! A fully connected layer: the products of a 1×1 convolution over images of one pixel, and its bias.

use super::{
    conv::Added,
    launch::{address, empty, in_order, shaped, units},
    layer,
    norm::{by_lane, lanes},
    plan::UNITS,
};
use crate::kernels::{geometry::Geometry, norm::After, precision::Precision};
use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// The gradient of what the ReLU was given, where there is one, and its sum over the rows for each column, a bias's
/// gradient. A cube has some columns and all rows.
#[cube(launch, address_type = "dynamic")]
pub(super) fn columns(
    gradient: &[f32],
    out: ComptimeOption<&[f32]>,
    mut dz: ComptimeOption<&mut [f32]>,
    bias: &mut [f32],
    rows: usize,
    #[comptime] width: usize,
) {
    let lanes = comptime!(lanes(width));
    let column = CUBE_POS_X as usize * lanes + UNIT_POS as usize % lanes;
    let mut sum = 0f32;
    if column < width {
        for row in range_stepped(UNIT_POS as usize / lanes, rows, comptime!(UNITS / lanes)) {
            let at = row * width + column;
            let mut value = gradient[at];
            #[comptime]
            if let ComptimeOption::Some(out) = &out {
                if out[at] <= 0f32 {
                    value = 0f32;
                }
            }
            sum += value;
            #[comptime]
            if let ComptimeOption::Some(dz) = &mut dz {
                dz[at] = value;
            }
        }
    }
    let sum = by_lane(sum, lanes);
    if column < width && UNIT_POS < lanes as u32 {
        bias[column] = sum;
    }
}

/// The gradients of a fully connected layer's x, weight and bias.
pub(super) struct Gradients {
    pub x: Option<CubeTensor>,
    pub weight: CubeTensor,
    pub bias: CubeTensor,
}

/// `[rows, columns]` as images of one pixel, or filters of one place.
fn pixels(tensor: CubeTensor) -> CubeTensor {
    let tensor = in_order(tensor);
    let [rows, columns] = tensor.shape().dims();
    shaped(tensor, [rows, 1, 1, columns])
}

/// The weight as filters of one place.
fn filters(weight: CubeTensor) -> CubeTensor {
    let weight = in_order(weight);
    let [outputs, inputs] = weight.shape().dims();
    shaped(weight, [outputs, inputs, 1, 1])
}

/// `x · weightᵀ + bias`, with a ReLU if asked for.
pub(super) fn forward(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    with_relu: bool,
) -> CubeTensor {
    let (x, weight) = (pixels(x), filters(weight));
    let geometry = layer::geometry(&x, &weight, 1);
    let after = if with_relu { After::Relu } else { After::Nothing };
    let added = Added { bias: Some(bias), ..Added::default() };
    let out = layer::convolve(&geometry, Precision::F32, x, weight, added, after);
    shaped(out, [geometry.images, geometry.filters])
}

/// The adjoint of [`forward`]; `out` is what came out of a ReLU.
pub(super) fn backward(
    gradient: CubeTensor,
    out: Option<CubeTensor>,
    x: CubeTensor,
    weight: CubeTensor,
    wants_x: bool,
) -> Gradients {
    let gradient = in_order(gradient);
    let [rows, width] = gradient.shape().dims();
    let bias = empty(&gradient, [width]);
    let dz = out.is_some().then(|| empty(&gradient, [rows, width]));
    columns::launch(
        &gradient.client.clone(),
        CubeCount::Static(width.div_ceil(lanes(width)) as u32, 1, 1),
        units(),
        address([&gradient]),
        gradient.clone().into_buffer_arg(),
        out.map(|out| in_order(out).into_buffer_arg()).into(),
        dz.clone().map(CubeTensor::into_buffer_arg).into(),
        bias.clone().into_buffer_arg(),
        rows,
        width,
    );
    let (dz, x, weight) = (pixels(dz.unwrap_or(gradient)), pixels(x), filters(weight));
    let geometry = layer::geometry(&x, &weight, 1);
    let Geometry { images, channels, .. } = geometry;
    let [dx, dweight] = layer::adjoint(&geometry, Precision::F32, x, dz, weight, [wants_x, true]);
    let dx = dx.map(|dx| shaped(dx, [images, channels]));
    let weight = shaped(dweight.expect("it was wanted"), [width, channels]);
    Gradients { x: dx, weight, bias }
}
