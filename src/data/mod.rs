//! Images: reading them, splitting them, holding them on a device or decoding them when they are
//! needed.

mod augment;
mod batches;
mod cifar;
mod content;
mod digests;
mod fashion_mini;
mod files;
mod folder;
mod idx;
mod idx_files;
mod known;
mod listing;
mod loaded;
mod moments;
mod part;
mod picture;
mod skipped;
mod view;

pub use batches::{Batch, Batches, Changes};
pub use files::Files;
pub use folder::usual_side;
pub use known::{how_to_get, known};
pub use loaded::{DataError, Dataset, Images, Part, counts, load, probe, renew, verify};
pub use part::{TEST, TRAIN, part_digest};
pub use view::{View, holdout};
