//! A fully connected layer as an operation of the backend.

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension, tensor::FloatTensor,
    },
    tensor::Tensor,
};

/// `x · weightᵀ + bias`, with a ReLU if asked for: `[batch, in]` to `[batch, out]`; `weight` is `[out, in]`, `bias`
/// `[out]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, with_relu: bool) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as LinearOps>::linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        with_relu,
    ))
}

/// What the backends must know; the CPU's does with what it has.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait LinearOps: Backend {
    /// See [`linear`].
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        with_relu: bool,
    ) -> FloatTensor<Self> {
        let product = Self::float_matmul(x, Self::float_transpose(weight));
        let length = bias.shape()[0];
        let sum = Self::float_add(product, Self::float_reshape(bias, [1, length].into()));
        if with_relu { Self::relu(sum) } else { sum }
    }
}

impl LinearOps for Flex {}

impl<C: CheckpointStrategy> LinearOps for Autodiff<Flex, C> {}
