//! The mean over an image's pixels.

use super::launch::{address, each, empty, in_order, units};
use crate::kernels::extension::tape::{finish, register};
use burn::{
    backend::{
        Autodiff, Backend, Cube, Dispatch, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Shape, Tensor},
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// `[image, 1, 1, channel]` out of `[image, row, column, channel]`, a value each.
#[cube(launch, address_type = "dynamic")]
fn means(x: &[f32], out: &mut [f32], pixels: usize, #[comptime] channels: usize) {
    let at = ABSOLUTE_POS;
    if at < out.len() {
        let start = at / channels * pixels * channels + at % channels;
        let mut sum = 0f32;
        for pixel in 0..pixels {
            sum += x[start + pixel * channels];
        }
        out[at] = sum / f32::cast_from(pixels);
    }
}

/// The other way, a value of x each.
#[cube(launch, address_type = "dynamic")]
fn spread(gradient: &[f32], out: &mut [f32], pixels: usize, #[comptime] channels: usize) {
    let at = ABSOLUTE_POS;
    if at < out.len() {
        let image = at / channels / pixels;
        out[at] = gradient[image * channels + at % channels] / f32::cast_from(pixels);
    }
}

/// Both ways as operations of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait MeanPasses: Backend {
    /// See [`means`].
    #[fusion(dtype = x, shape = Shape::new([x[0], 1, 1, x[3]]))]
    fn mean_forward(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`spread`]; of x the shape is read.
    #[fusion(dtype = x, shape = x)]
    fn mean_backward(gradient: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl MeanPasses for CubeBackend {
    fn mean_forward(x: CubeTensor) -> CubeTensor {
        let x = in_order(x);
        let [images, height, width, channels] = x.shape().dims();
        let out = empty(&x, [images, 1, 1, channels]);
        means::launch(
            &x.client.clone(),
            each(images * channels),
            units(),
            address([&x]),
            x.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            height * width,
            channels,
        );
        out
    }

    fn mean_backward(gradient: CubeTensor, x: CubeTensor) -> CubeTensor {
        let [images, height, width, channels] = x.shape().dims();
        let out = empty(&x, [images, height, width, channels]);
        spread::launch(
            &x.client.clone(),
            each(images * height * width * channels),
            units(),
            address([&out]),
            in_order(gradient).into_buffer_arg(),
            out.clone().into_buffer_arg(),
            height * width,
            channels,
        );
        out
    }
}

/// The mean with its backward pass.
#[backend_extension(Cube, Autodiff)]
pub trait MeanOps: Backend {
    /// See [`mean_pixels`].
    fn mean_pixels(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// See [`crate::kernels::mean`].
pub fn mean_pixels(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as MeanOps>::mean_pixels(x.into_dispatch()))
}

impl MeanOps for Cube {
    fn mean_pixels(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::mean_forward(x)
    }
}

/// The backward pass. Its parent is x.
#[derive(Debug)]
struct MeanBackward;

impl Backward<Cube, 1> for MeanBackward {
    type State = FloatTensor<Cube>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let made = Cube::mean_backward(gradient, ops.state);
        register::<Cube, _>(
            ops.parents.map(|parent| parent.map(|parent| parent.id)),
            [Some(made)],
            grads,
        );
    }
}

impl<C: CheckpointStrategy> MeanOps for Autodiff<Cube, C> {
    fn mean_pixels(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let out = Cube::mean_forward(x.clone());
        finish::<Cube, C, _, 1>(MeanBackward, [node], x, out)
    }
}
