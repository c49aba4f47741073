//! What a node does: the meeting of learning, data and cache.

mod device;
mod files;
mod import;
mod learn;
mod line;
mod measure;
mod memory;
mod runner;
mod teach;
mod watcher;

pub use device::{Choice, ChoiceError, DeviceError, Inventory, Selected, available, inventory};
pub use files::{
    FileError, WEIGHTS, read_checkpoint, read_logits, read_weights, write_checkpoint, write_weights,
};
pub use runner::{Datasets, NodeRunner};
