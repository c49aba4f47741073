//! Images: reading them, splitting them, holding them on a device.

mod augment;
mod cifar;
mod fashion_mini;
mod idx;
mod loaded;
mod view;

pub use loaded::{DataError, Dataset, load, probe};
pub use view::{Batch, View, holdout};
