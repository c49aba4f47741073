//! Tensors of a safetensors file.

use super::PyTorchError;
use crate::network::NamedTensor;
use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

/// The values as 32-bit floats.
pub(super) fn materialise(
    name: String,
    view: &TensorView<'_>,
) -> Result<NamedTensor, PyTorchError> {
    fn words<const N: usize>(bytes: &[u8], read: fn([u8; N]) -> f32) -> Vec<f32> {
        let (words, _) = bytes.as_chunks::<N>();
        words.iter().map(|word| read(*word)).collect()
    }
    let bytes = view.data();
    let values = match view.dtype() {
        Dtype::F32 => words(bytes, f32::from_le_bytes),
        Dtype::F64 => words(bytes, |word| f64::from_le_bytes(word) as f32),
        Dtype::F16 => words(bytes, |word| f16::from_le_bytes(word).to_f32()),
        Dtype::BF16 => words(bytes, |word| bf16::from_le_bytes(word).to_f32()),
        other => return Err(PyTorchError::Type { name, kind: format!("{other:?}") }),
    };
    Ok(NamedTensor { name, shape: view.shape().to_vec(), values })
}
