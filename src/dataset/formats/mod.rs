//! Formats of data sets: one file per format, one line in [`FORMATS`].

mod cifar;
mod fashion_mini;
mod idx;
mod image_folder;
mod interface;

pub use cifar::{Cifar, CifarKind};
pub use fashion_mini::FashionMini;
pub use idx::Idx;
pub use interface::{DataFormat, Format, Location, Place, Storage};

use crate::kind::Kind;

/// Every format.
pub const FORMATS: &[&Kind<dyn DataFormat>] =
    &[&fashion_mini::KIND, &idx::KIND, &cifar::TEN, &cifar::HUNDRED, &image_folder::KIND];
