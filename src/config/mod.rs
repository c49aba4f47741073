//! Resolved hyper-parameters: plain data that every later stage reads.
//!
//! No field here is an `Option` that means "default": `spec` has filled in every value.

mod choices;
mod collapse;
mod data;
pub(crate) mod defaults;
mod layer;
mod net;
mod objective;
mod recipe;
pub(crate) mod recipe_defaults;
mod schedule;

pub use choices::{Augment, BatchnormWeight, Normalisation, Reduction, Warmup};
pub use collapse::OnCollapse;
pub use data::{
    Cifar, CifarKind, Data, DataInfo, Digests, Fit, Format, ImageFolder, Presence, Split,
};
pub use layer::{Block, BlockKind, Layer, LayerError};
pub use net::{Net, Shape, ShapeError};
pub use objective::{Kd, Objective};
pub use recipe::{Adam, Optimizer, Recipe, Select, leaves_one};
pub use schedule::Schedule;
