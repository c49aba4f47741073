//! Numbers in safetensors files, and what can be wrong with them.

use crate::{network::NamedTensor, training::LogitsError};
use safetensors::{Dtype, tensor::TensorView};
use std::collections::HashMap;

/// A file that does not hold what its name says.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not safetensors, or cut short.
    #[error("not a safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor of another type than 32-bit floats (or 32-bit ids).
    #[error("`{0}` is not stored as 32-bit numbers")]
    Type(String),
    /// Rows and ids do not agree.
    #[error(transparent)]
    Logits(#[from] LogitsError),
    /// A number that no network, and no JSON, can use.
    #[error("`{0}` holds NaN or infinite values")]
    NotFinite(String),
    /// A checkpoint's state that is none.
    #[error("not a checkpoint's state: {0}")]
    State(#[from] serde_json::Error),
}

/// Ids as they are stored.
pub(super) fn id_bytes(ids: &[u32]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_le_bytes()).collect()
}

/// Refuses logits that are NaN or infinite.
pub(super) fn finite(logits: &[f32]) -> Result<(), FileError> {
    let whole = logits.iter().all(|value| value.is_finite());
    if whole { Ok(()) } else { Err(FileError::NotFinite("logits".to_owned())) }
}

pub(super) fn floats(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, FileError> {
    if view.dtype() != Dtype::F32 {
        return Err(FileError::Type(name.to_owned()));
    }
    Ok(words(view.data()).map(f32::from_le_bytes).collect())
}

pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes.chunks_exact(4).map(|word| [word[0], word[1], word[2], word[3]])
}

pub(super) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Tensors under these names as a safetensors file.
pub(super) fn serialize(
    tensors: &[(String, &NamedTensor)],
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, FileError> {
    if let Some((name, _)) = tensors.iter().find(|(_, tensor)| !tensor.is_finite()) {
        return Err(FileError::NotFinite(name.clone()));
    }
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, tensor)| to_bytes(&tensor.values)).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        Ok((name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(views, metadata)?)
}
