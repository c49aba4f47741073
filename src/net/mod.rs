//! Networks on a device: weights as burn tensors under PyTorch's names, and the forward pass.
//!
//! A network is data (layers with their tensors) rather than a burn `Module`, because three things
//! must be addressable by a stable name: the generator that initialises a parameter, its
//! optimizer state, and its tensor in a safetensors file.

mod conv_norm;
mod init;
mod network;
mod residual;
mod tensors;
mod zoo;

pub use network::{Network, Ops};
pub use tensors::{LoadError, NamedTensor, Role, Visitor};
pub use zoo::{BUILTIN, builtin};
