//! `torch.save` since PyTorch 1.6: a zip archive with `data.pkl` and a member for each storage.

use super::{
    PyTorchError, Storages,
    pickle::{self, Pickled},
    value::Value,
};
use std::io::{Cursor, Read};
use zip::ZipArchive;

pub(super) fn read(bytes: &[u8]) -> Result<(Value, Storages), PyTorchError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let names = archive.file_names().map(|name| name.map(|name| name.into_owned()));
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let pickle = names.iter().find(|name| name.ends_with("/data.pkl") || *name == "data.pkl");
    let Some(pickle) = pickle else { return Err(PyTorchError::Format(other(&names).to_owned())) };
    let root = pickle.trim_end_matches("data.pkl");
    if names.iter().any(|name| name.strip_prefix(root) == Some("constants.pkl")) {
        return Err(PyTorchError::Script);
    }
    // PyTorch compresses nothing, so all members together are no longer than the file.
    let mut left = bytes.len() as u64;
    let Pickled { value, storages: named, .. } =
        pickle::read(&member(&mut archive, pickle, &mut left)?)?;
    let mut storages = Storages::new();
    for name in &names {
        let key = name.strip_prefix(root).and_then(|name| name.strip_prefix("data/"));
        if let Some(key) = key.filter(|key| named.contains_key(*key)) {
            storages.insert(key.to_owned(), member(&mut archive, name, &mut left)?);
        }
    }
    Ok((value, storages))
}

/// What a zip archive that PyTorch did not write may be.
fn other(names: &[String]) -> &'static str {
    if names.iter().any(|name| name.ends_with(".npy")) {
        "a NumPy archive"
    } else if names.iter().any(|name| name.starts_with("word/") || name.starts_with("xl/")) {
        "an office document"
    } else {
        "a zip archive without PyTorch's data.pkl"
    }
}

/// A member's bytes, of which there may be `left` more in this archive.
fn member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    left: &mut u64,
) -> Result<Vec<u8>, PyTorchError> {
    let too_long = || PyTorchError::Bomb(name.to_owned());
    let file = archive.by_name(name)?;
    if file.size() > *left {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    let read = file.take(*left + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| PyTorchError::Short(format!("{name}: {error}")))?;
    *left = left.checked_sub(read as u64).ok_or_else(too_long)?;
    Ok(bytes)
}
