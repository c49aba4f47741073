//! Images: reading them, splitting them, holding them on a device or decoding them when they are
//! needed.

mod batches;
mod changes;
mod content;
mod data;
pub(crate) mod defaults;
mod digests;
mod failure;
mod files;
mod fit;
mod folder;
mod formats;
pub(crate) mod held_out;
mod idx_file;
mod image_folder;
mod images;
mod info;
mod known;
mod list_file;
mod listed;
mod listing;
mod moments;
mod normalisation;
mod packed;
mod part;
mod picture;
mod shifted;
mod single;
mod skipped;
mod view;

pub use batches::{Batch, Batches};
pub use changes::Changes;
pub use data::Data;
pub use failure::DataError;
pub use files::Files;
pub use fit::Fit;
pub use formats::{
    Cifar, CifarKind, DataFormat, FORMATS, FashionMini, Format, Idx, Location, Place, Storage,
};
pub use image_folder::ImageFolder;
pub use images::{Dataset, Images, Part};
pub use info::{DataInfo, Digests, Presence, Split};
pub use normalisation::Normalisation;
pub use part::{TEST, TRAIN, part_digest};
pub use single::read_picture;
pub use view::{View, holdout};
