//! Images: reading them, splitting them, holding them on a device or decoding them when they are
//! needed.

mod augment;
mod batches;
mod cifar;
mod content;
mod dataset;
mod digests;
mod failure;
mod fashion_mini;
mod files;
mod folder;
mod idx;
mod idx_files;
mod known;
mod listing;
mod load;
mod moments;
mod packed;
mod part;
mod picture;
mod skipped;
mod view;

pub use augment::Changes;
pub use batches::{Batch, Batches};
pub use dataset::{Dataset, Images, Part};
pub use failure::DataError;
pub use files::Files;
pub use folder::usual_side;
pub use known::{how_to_get, known};
pub use load::{counts, load, probe, renew, verify};
pub use part::{TEST, TRAIN, part_digest};
pub use view::{View, holdout};
