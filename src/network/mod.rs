//! Networks on a device: weights as burn tensors under PyTorch's names, and the forward pass.
//!
//! A network is data (layers with their tensors) rather than a burn `Module`, because three things
//! must be addressable by a stable name: the generator that initialises a parameter, its
//! optimizer state, and its tensor in a safetensors file.

mod weighted;
mod zoo;

pub use crate::layer::Kernels;
pub use crate::tensors::{AnyTensor, LoadError, NamedTensor, Role, Visitor};
pub use weighted::Network;
pub use zoo::{BUILTIN, builtin};
