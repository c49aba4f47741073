//! What a node does: the meeting of learning, data and cache.

mod aim;
mod claim;
mod crew;
#[cfg(any(feature = "cuda", test))]
mod cuda;
mod device;
mod devices;
mod failure;
mod fault;
mod files;
mod import;
mod int8;
mod jobs;
mod latency;
mod learn;
mod left;
mod line;
mod measure;
mod memory;
mod moment;
mod network;
mod outside;
mod pace;
mod pass;
mod pause;
mod peers;
mod runner;
mod teach;
mod versions;
mod watcher;

pub use device::{Choice, ChoiceError, DeviceError, Inventory, Selected, available, inventory};
pub use devices::{Devices, Gpu, Pool};
pub use files::{
    FileError, Part, WEIGHTS, label_weights, read_checkpoint, read_logits, read_part, read_weights,
    write_checkpoint, write_part, write_weights,
};
pub use int8::{Int8Error, int8};
pub use jobs::Jobs;
pub use latency::{LatencyError, latency};
pub use network::{NetworkError, logits_of, trained_network};
pub use runner::{Datasets, NodeRunner};
