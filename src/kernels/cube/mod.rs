//! The same operations for GPUs: kernels in CubeCL, which compiles them for CUDA, Vulkan, Metal and WebGPU.
//!
//! | file | what |
//! |---|---|
//! | `plan`, `operands` | a convolution and its gradients as matrix products that read images where they lie |
//! | `product` | their sums |
//! | `tensor` | the same on tensor cores, where a recipe's `precision` says so |
//! | `conv` | what becomes of the products: outputs with their moments, a finished layer, parts of a gradient |
//! | `norm`, `norm_back` | BatchNorm, what follows it, and the way back |
//! | `layer`, `linear` | a layer as launches |
//! | `passes` | these as operations of burn's backend |
//! | `extension`, `alone` | with a backward pass of their own, as [`super::extension`] has them for the CPU |
//! | `flat`, `sgd`, `adam` | an optimizer's tensors as one, and their update |
//! | `loss`, `score` | a softmax's loss with its gradient, and what of a step is read later |
//! | `mean` | the mean over an image's pixels |
//! | `matmul` | the product that objectives take |
//! | `frame` | a batch out of bytes on the device |
//! | `window`, `launch` | extents, memory, grids |
//! | `pace` | waiting, where there are few cores |
//!
//! A layer is eight launches a step: convolution with the moments of its tiles, the moments of all, what follows; the
//! gradient's sums, what they give, the gradient of the convolution's outputs, both products of the way back in one,
//! and the sum of the weight's parts. burn's own operations take 43.
//!
//! Images lie as `[image, row, column, channel]` from the first layer to the last.

mod adam;
mod alone;
mod conv;
mod extension;
mod flat;
mod frame;
mod launch;
mod layer;
mod linear;
mod loss;
mod matmul;
mod mean;
mod norm;
mod norm_back;
mod operands;
mod pace;
mod passes;
mod plan;
mod product;
mod score;
mod sgd;
mod tensor;
mod window;

pub(super) use adam::adapt_all;
pub(super) use flat::{gather, scatter};
pub(super) use frame::frame_batch;
pub(super) use loss::soft_loss;
pub(super) use mean::mean_pixels;
pub(super) use score::score_step;
pub(super) use sgd::descend_all;

#[cfg(all(test, feature = "wgpu"))]
mod tests;
