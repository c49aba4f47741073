//! The product of rows by rows, strictly in f32.

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension, tensor::FloatTensor,
    },
    tensor::Tensor,
};

/// `a · bᵀ`: `[…, m, k]` and `[…, n, k]` to `[…, m, n]`, with at most one dimension before both.
///
/// burn's own product of f32 takes tensor cores on NVIDIA's GPUs from Ampere on, which read ten bits of a fraction.
pub fn matmul_nt<const N: usize>(a: Tensor<N>, b: Tensor<N>) -> Tensor<N> {
    let (a, b) = (a.into_dispatch(), b.into_dispatch());
    Tensor::from_dispatch(<Dispatch as MatmulOps>::matmul_nt(a, b))
}

/// What the backends must know; the CPU's does with what it has.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait MatmulOps: Backend {
    /// See [`matmul_nt`].
    fn matmul_nt(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let last = b.shape().rank() - 1;
        Self::float_matmul(a, Self::float_swap_dims(b, last - 1, last))
    }
}

impl MatmulOps for Flex {}

impl<C: CheckpointStrategy> MatmulOps for Autodiff<Flex, C> {}
