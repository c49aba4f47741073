//! Update rules, with PyTorch's definitions and names.
//!
//! One file per rule, one line in [`OPTIMIZERS`].

mod adam;
mod adamw;
mod interface;
mod sgd;

pub use adam::Adam;
pub use adamw::AdamW;
pub use interface::{Optimizer, Step};
pub use sgd::Sgd;

use crate::kind::Kind;

/// Every rule.
pub const OPTIMIZERS: &[&Kind<dyn Optimizer>] = &[&sgd::KIND, &adam::KIND, &adamw::KIND];
