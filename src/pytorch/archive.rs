//! `torch.save` since PyTorch 1.6: a zip archive with `data.pkl` and a member for each storage.

use super::{PyTorchError, Storages, pickle, value::Value};
use std::io::{Cursor, Read};
use zip::ZipArchive;

pub(super) fn read(bytes: &[u8]) -> Result<(Value, Storages), PyTorchError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let names = archive.file_names().map(|name| name.map(|name| name.into_owned()));
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let pickle = names.iter().find(|name| name.ends_with("/data.pkl") || *name == "data.pkl");
    let pickle = pickle.ok_or(PyTorchError::Format)?;
    let root = pickle.trim_end_matches("data.pkl");
    let (value, _) = pickle::read(&member(&mut archive, pickle, bytes.len())?)?;
    let mut storages = Storages::new();
    for name in &names {
        if let Some(key) = name.strip_prefix(root).and_then(|name| name.strip_prefix("data/")) {
            storages.insert(key.to_owned(), member(&mut archive, name, bytes.len())?);
        }
    }
    Ok((value, storages))
}

/// A member's bytes. PyTorch compresses nothing, so none is longer than the file.
fn member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    longest: usize,
) -> Result<Vec<u8>, PyTorchError> {
    let mut bytes = Vec::new();
    let mut file = archive.by_name(name)?.take(longest as u64);
    file.read_to_end(&mut bytes)
        .map_err(|error| PyTorchError::Short(format!("{name}: {error}")))?;
    Ok(bytes)
}
