//! Reading PyTorch's weight files: zip archives (`torch.save` since 1.6) and the format before it.
//!
//! A pickle is a program. None is ever run here: `pickle` reads the few instructions that build
//! dictionaries and tensors, and whatever calls anything else becomes an opaque value.

mod archive;
mod legacy;
mod pickle;
mod tensor;
mod value;

use crate::net::NamedTensor;
use pickle::PickleError;
use std::collections::HashMap;
use value::{TensorRef, Value};

/// Why a file gives no weights.
#[derive(Debug, thiserror::Error)]
pub enum PyTorchError {
    /// Neither a zip archive nor the older format.
    #[error("not a file that torch.save writes")]
    Format,
    /// A pickle that cannot be followed.
    #[error("its pickle is damaged: {0}")]
    Pickle(#[from] PickleError),
    /// A zip archive that cannot be read.
    #[error("its zip archive is damaged: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A part is shorter than it says.
    #[error("it is cut short: {0}")]
    Short(String),
    /// Numbers of a type that weights do not have.
    #[error("`{name}` holds {kind}, not floating-point numbers")]
    Type {
        /// The tensor.
        name: String,
        /// PyTorch's storage class.
        kind: String,
    },
    /// There is no dictionary of tensors in it.
    #[error("it holds no state_dict")]
    NoStateDict,
}

/// Bytes of each storage, by its key in the pickle.
type Storages = HashMap<String, Vec<u8>>;

/// The parameters and running statistics of a file's state_dict, under the names of this crate.
///
/// The state_dict may be the whole file or lie under `state_dict`, `model` or `net`. A `module.` in
/// front of every name (`DataParallel`'s) goes, so do counters (`num_batches_tracked`); `linear`
/// and `shortcut`, which CIFAR ResNets often use, become torchvision's `fc` and `downsample`.
///
/// # Errors
/// [`PyTorchError`] says what is wrong with the file.
pub fn read_state_dict(bytes: &[u8]) -> Result<Vec<NamedTensor>, PyTorchError> {
    let (value, storages) =
        if bytes.starts_with(b"PK") { archive::read(bytes)? } else { legacy::read(bytes)? };
    let entries = state_dict(&value).ok_or(PyTorchError::NoStateDict)?;
    let mut tensors = Vec::with_capacity(entries.len());
    for (name, tensor) in entries {
        let name = rename(name);
        if !name.ends_with("num_batches_tracked") {
            tensors.push(tensor::materialise(name, tensor, &storages)?);
        }
    }
    Ok(tensors)
}

/// The first dictionary of tensors, the value itself or under one of the usual names.
fn state_dict(value: &Value) -> Option<Vec<(&str, &TensorRef)>> {
    let Value::Dict(entries, _) = value else { return None };
    let tensors: Vec<(&str, &TensorRef)> = entries
        .iter()
        .filter_map(|(name, value)| match (name, value) {
            (Value::Text(name), Value::Tensor(tensor)) => Some((&**name, &**tensor)),
            _ => None,
        })
        .collect();
    if !tensors.is_empty() {
        return Some(tensors);
    }
    let under = |key: &str| {
        let found =
            entries.iter().find(|(name, _)| matches!(name, Value::Text(name) if &**name == key));
        found.and_then(|(_, value)| state_dict(value))
    };
    ["state_dict", "model", "net"].into_iter().find_map(under)
}

fn rename(name: &str) -> String {
    let name = name.strip_prefix("module.").unwrap_or(name);
    let parts = name.split('.').map(|part| match part {
        "linear" => "fc",
        "shortcut" => "downsample",
        other => other,
    });
    parts.collect::<Vec<_>>().join(".")
}
