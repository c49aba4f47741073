//! Random changes of training images, on bytes, drawn from (seed, epoch, sample id).
//!
//! One file per change, one line in [`AUGMENTS`].

mod crop;
mod flip;
mod interface;
mod resized_crop;

pub use crop::Crop;
pub use flip::Flip;
pub use interface::{Augment, Region, augment};
pub use resized_crop::ResizedCrop;

use crate::kind::Kind;

/// Every change.
pub const AUGMENTS: &[&Kind<dyn Augment>] = &[&crop::KIND, &flip::KIND, &resized_crop::KIND];
