//! Resolved hyper-parameters: plain data that every later stage reads.
//!
//! No field here is an `Option` that means "default": `spec` has filled in every value.

mod collapse;
mod data;
pub(crate) mod defaults;
mod layer;
mod net;
mod objective;
mod recipe;

pub use collapse::OnCollapse;
pub use data::{
    Cifar, CifarKind, Data, DataInfo, Digests, Fit, Format, ImageFolder, Normalisation, Presence,
    Split,
};
pub use layer::{Block, BlockKind, Layer, LayerError};
pub use net::{Net, Shape, ShapeError};
pub use objective::{Kd, Objective, Reduction};
pub use recipe::{Adam, Augment, BatchnormWeight, Optimizer, Recipe, Schedule, Select, Warmup};
