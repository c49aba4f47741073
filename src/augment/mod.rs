//! Random changes of training images, on bytes, drawn from (seed, epoch, sample id).
//!
//! One file per change, one line in [`AUGMENTS`].

mod crop;
mod flip;
mod interface;
mod resized_crop;
mod shift;

pub use crop::Crop;
pub use flip::Flip;
pub use interface::{Augment, Region, augment, shift, shifts};
pub use resized_crop::ResizedCrop;
pub use shift::Shift;

use crate::kind::Kind;

/// Every change.
pub const AUGMENTS: &[&Kind<dyn Augment>] = &[&crop::KIND, &flip::KIND, &resized_crop::KIND];
