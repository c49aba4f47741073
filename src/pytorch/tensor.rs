//! A tensor's values out of its storage.

use super::{PyTorchError, Storages, value::TensorRef};
use crate::network::NamedTensor;

/// Copies a view of a storage to 32-bit floats, row-major.
pub(super) fn materialise(
    name: String,
    tensor: &TensorRef,
    storages: &Storages,
) -> Result<NamedTensor, PyTorchError> {
    let TensorRef { storage, offset, shape, strides } = tensor;
    let (width, read): (usize, fn(&[u8]) -> f32) = match storage.kind.as_str() {
        "FloatStorage" => (4, |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        "DoubleStorage" => {
            (8, |b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
        }
        "HalfStorage" => (2, |b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()),
        "BFloat16Storage" => (2, |b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()),
        _ => return Err(PyTorchError::Type { name, kind: storage.kind.clone() }),
    };
    let short = || PyTorchError::Short(format!("`{name}` needs more than its storage holds"));
    let bytes = storages.get(&storage.key).ok_or_else(short)?;
    let elements = bytes.len() / width;
    let sizes: Option<Vec<usize>> = shape.iter().map(|&size| usize::try_from(size).ok()).collect();
    let steps: Option<Vec<usize>> =
        strides.iter().map(|&step| usize::try_from(step).ok()).collect();
    let (sizes, steps) = sizes.zip(steps).filter(|(a, b)| a.len() == b.len()).ok_or_else(short)?;
    let count = sizes.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
    // A view that repeats elements could ask for more than the file is long.
    let count = count.filter(|&count| count <= elements).ok_or_else(short)?;
    let offset = usize::try_from(*offset).map_err(|_| short())?;
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; sizes.len()];
    for _ in 0..count {
        let position = index.iter().zip(&steps).try_fold(offset, |position, (&i, &step)| {
            step.checked_mul(i).and_then(|far| position.checked_add(far))
        });
        let position = position.filter(|&position| position < elements).ok_or_else(short)?;
        values.push(read(&bytes[position * width..][..width]));
        for dimension in (0..sizes.len()).rev() {
            index[dimension] += 1;
            if index[dimension] < sizes[dimension] {
                break;
            }
            index[dimension] = 0;
        }
    }
    Ok(NamedTensor { name, shape: sizes, values })
}
