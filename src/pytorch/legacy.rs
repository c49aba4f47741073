//! `torch.save` before PyTorch 1.6: five pickles (a magic number, a version, the system, the value,
//! the storages' keys), then each storage as its length and its numbers.

use super::{
    PyTorchError, Storages,
    pickle::{self, Pickled},
    value::Value,
};

pub(super) fn read(bytes: &[u8]) -> Result<(Value, Storages), PyTorchError> {
    let mut position = 0;
    let mut next = || -> Result<Pickled, PyTorchError> {
        let pickled = pickle::read(&bytes[position..])?;
        position += pickled.length;
        Ok(pickled)
    };
    let [_magic, _version, _system] = [next()?, next()?, next()?];
    let (Pickled { value, storages: kinds, .. }, keys) = (next()?, next()?.value);
    let Value::List(keys, _) = keys else {
        return Err(PyTorchError::Format(
            "a torch.save file without a list of storages".to_owned(),
        ));
    };
    let mut rest = &bytes[position..];
    let mut storages = Storages::new();
    for key in keys {
        let Value::Text(key) = key else {
            let problem = "a torch.save file whose storages have no names";
            return Err(PyTorchError::Format(problem.to_owned()));
        };
        let short = || PyTorchError::Short(format!("storage {key} is not whole"));
        // How wide the numbers are of a storage that nothing names is not known.
        let Some(width) = kinds.get(&*key).map(|kind| width(kind)) else { break };
        let (length, after) = rest.split_first_chunk().ok_or_else(short)?;
        let length = usize::try_from(i64::from_le_bytes(*length)).map_err(|_| short())?;
        let length = length.checked_mul(width).filter(|&length| length <= after.len());
        let (numbers, after) = after.split_at(length.ok_or_else(short)?);
        storages.insert(key.to_string(), numbers.to_vec());
        rest = after;
    }
    Ok((value, storages))
}

/// Bytes of one number.
fn width(kind: &str) -> usize {
    match kind {
        "DoubleStorage" | "LongStorage" => 8,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
        _ => 4,
    }
}
