//! `torch.save` before PyTorch 1.6: five pickles (a magic number, a version, the system, the value,
//! the storages' keys), then each storage as its length and its numbers.

use super::{
    PyTorchError, Storages, pickle,
    value::{Storage, Value},
};
use std::collections::HashMap;

/// First instructions of every such file: protocol 2, a long of ten bytes.
const START: [u8; 4] = [0x80, 0x02, 0x8a, 0x0a];

pub(super) fn read(bytes: &[u8]) -> Result<(Value, Storages), PyTorchError> {
    if !bytes.starts_with(&START) {
        return Err(PyTorchError::Format);
    }
    let mut place = 0;
    let mut next = || -> Result<Value, PyTorchError> {
        let (value, length) = pickle::read(&bytes[place..])?;
        place += length;
        Ok(value)
    };
    let [_magic, _version, _system] = [next()?, next()?, next()?];
    let (value, keys) = (next()?, next()?);
    let Value::List(keys, _) = keys else { return Err(PyTorchError::Format) };
    let mut kinds = HashMap::new();
    collect(&value, &mut kinds);
    let mut rest = &bytes[place..];
    let mut storages = Storages::new();
    for key in keys {
        let Value::Text(key) = key else { return Err(PyTorchError::Format) };
        let short = || PyTorchError::Short(format!("storage {key} is not whole"));
        // Which storages are no tensor's is not known, nor how wide their numbers are.
        let Some(&width) = kinds.get(&*key) else { break };
        let (length, after) = rest.split_first_chunk().ok_or_else(short)?;
        let length = usize::try_from(i64::from_le_bytes(*length)).map_err(|_| short())?;
        let length = length.checked_mul(width).filter(|&length| length <= after.len());
        let (numbers, after) = after.split_at(length.ok_or_else(short)?);
        storages.insert(key.to_string(), numbers.to_vec());
        rest = after;
    }
    Ok((value, storages))
}

/// Width in bytes of the numbers of every storage that a value refers to.
fn collect<'a>(value: &'a Value, kinds: &mut HashMap<&'a str, usize>) {
    match value {
        Value::Tensor(tensor) => {
            let Storage { kind, key } = &*tensor.storage;
            kinds.insert(key, width(kind));
        }
        Value::Dict(entries, _) => entries.iter().for_each(|(_, value)| collect(value, kinds)),
        _ => {}
    }
}

fn width(kind: &str) -> usize {
    match kind {
        "DoubleStorage" | "LongStorage" => 8,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
        _ => 4,
    }
}
