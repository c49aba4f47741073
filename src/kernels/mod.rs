//! Training operations in place of burn's own: for the CPU, where burn's backend is flex, and in `cube` for GPUs.
//!
//! flex runs a convolution's backward pass as a generic transposed convolution and as a convolution
//! with its operands swapped, and BatchNorm, ReLU and pooling as passes over memory with a node of
//! the gradient's graph each. A layer of takd's networks is here one operation:
//!
//! | file | what | what it gains |
//! |---|---|---|
//! | `layer` | convolution, BatchNorm, shortcut, ReLU and max-pool in one | two passes over an activation each way, and one copy of it kept, where burn has seven and five |
//! | `adjoint` | the way back through BatchNorm and what follows it | |
//! | `alone` | a convolution without BatchNorm, and BatchNorm without a convolution, as pre-activation blocks have them | |
//! | `fixed` | the same with given moments, and the gradient of its input | no gradients of weights where nobody wants them |
//! | `winograd`, `minimal`, `tiles` | 3×3 convolutions with 36 products for 144, or 16 for 36 | 4 or 2.25 times fewer multiplications, forward and both gradients |
//! | `columns` | all other convolutions without groups as one matrix product | no transposed convolution |
//! | `depthwise` | a filter for each channel | burn's gradient of the filters is a convolution per channel, one after another |
//! | `grouped` | groups of channels, a convolution each | burn's gradient of the filters is a convolution with swapped operands per group |
//! | `gemm` | the products themselves | small matrices without packing them at each call |
//! | `buffers` | memory that goes round from step to step | no fresh pages, no zeros that nobody reads |
//! | `lanes` | eight floats at a time | AVX2 and FMA where there are such |
//! | `extension`, `linear` | these as operations of burn's backend | a layer does not know where it runs |
//! | `matmul` | the product that objectives take | a GPU's strictly in f32, where burn's takes tensor cores |
//! | `fused`, `flat` | what a step does beside its layers, where that is a kernel | no launch of each operation on a GPU |
//!
//! Images lie as `[image, row, column, channel]`, so that a pixel's channels are one or more whole
//! vectors: transforms and products then read memory in order. Numbers do not depend on threads:
//! work is cut up by shape alone and sums over a batch are added in the order of its parts.
//!
//! `cargo bench --bench layers` and `--bench peer` measure it beside burn and beside PyTorch; `takd run
//! --burn-ops` runs without all of this.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over registers: a closure or an iterator may leave the function that is compiled for AVX2"
)]

#[cfg(not(feature = "cube"))]
mod absent;
mod adjoint;
mod alone;
mod asked;
mod buffers;
mod columns;
mod conv;
#[cfg(feature = "cube")]
mod cube;
mod depthwise;
mod extension;
mod fixed;
mod flat;
mod fused;
mod gemm;
mod geometry;
mod grouped;
mod lanes;
mod layer;
mod linear;
mod matmul;
mod minimal;
mod norm;
mod precision;
mod tiles;
mod winograd;

pub use asked::{Descent, Frame, Moments, Weights};
#[cfg(test)]
pub(crate) use buffers::held;
pub use buffers::settle;
pub use extension::{
    Form, MOMENTUM, Operands, Running, convolve, convolves, infer, leave, normalise, on_cpu, train,
};
pub use flat::Layout;
pub use fused::{adapt, descend, frame, mean, score, soft_loss};
pub use lanes::cpu;
pub use linear::linear;
pub use matmul::matmul_nt;
pub use norm::After;
pub use precision::Precision;
