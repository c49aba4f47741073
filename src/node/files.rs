//! The files inside entries: weights and logits as safetensors.

use crate::{
    learn::{Checkpoint, Logits, LogitsError},
    net::NamedTensor,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Weights and running statistics under PyTorch's names.
pub const WEIGHTS: &str = "weights.safetensors";
/// `ids` `[samples]` and `logits` `[samples, classes]`.
pub(super) const LOGITS: &str = "logits.safetensors";

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
    /// A checkpoint's state that is none.
    #[error("not a checkpoint's state: {0}")]
    State(#[from] serde_json::Error),
}

/// Tensors as a safetensors file.
///
/// # Errors
/// [`FileError`] if a tensor's shape is not that of its values.
pub fn write_weights(tensors: &[NamedTensor]) -> Result<Vec<u8>, FileError> {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|tensor| to_bytes(&tensor.values)).collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        Ok((tensor.name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(views, None)?)
}

/// The tensors of a safetensors file.
///
/// # Errors
/// [`FileError`] if it is damaged or holds anything but 32-bit floats.
pub fn read_weights(bytes: &[u8]) -> Result<Vec<NamedTensor>, FileError> {
    let file = SafeTensors::deserialize(bytes)?;
    let tensors = file.tensors().into_iter().map(|(name, view)| {
        let values = floats(&name, &view)?;
        Ok(NamedTensor { name, shape: view.shape().to_vec(), values })
    });
    tensors.collect()
}

pub(super) fn write_logits(ids: &[u32], values: &[f32]) -> Result<Vec<u8>, FileError> {
    let id_bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    let (bytes, classes) = (to_bytes(values), values.len() / ids.len().max(1));
    let views = [
        ("ids", TensorView::new(Dtype::U32, vec![ids.len()], &id_bytes)?),
        ("logits", TensorView::new(Dtype::F32, vec![ids.len(), classes], &bytes)?),
    ];
    Ok(safetensors::serialize(views, None)?)
}

/// A teacher's logits.
///
/// # Errors
/// [`FileError`] if the file is damaged or holds no row for each id.
pub fn read_logits(bytes: &[u8]) -> Result<Logits, FileError> {
    let file = SafeTensors::deserialize(bytes)?;
    let (ids, logits) = (file.tensor("ids")?, file.tensor("logits")?);
    if ids.dtype() != Dtype::U32 {
        return Err(FileError::Type("ids".to_owned()));
    }
    let ids: Vec<u32> = words(ids.data()).map(u32::from_le_bytes).collect();
    let classes = logits.shape().last().copied().unwrap_or(0);
    Ok(Logits::new(&ids, floats("logits", &logits)?, classes)?)
}

/// Name of the metadata that holds a checkpoint's [`State`] as JSON.
const STATE: &str = "state";

/// A training's state as safetensors, for [`read_checkpoint`].
///
/// # Errors
/// [`FileError`] if a tensor's shape and length do not agree.
pub fn write_checkpoint(checkpoint: &Checkpoint) -> Result<Vec<u8>, FileError> {
    let groups = [
        ("net", &checkpoint.weights),
        ("optimizer", &checkpoint.optimizer),
        ("best", &checkpoint.best),
    ];
    let all: Vec<(String, &NamedTensor, Vec<u8>)> = groups
        .into_iter()
        .flat_map(|(group, tensors)| tensors.iter().map(move |tensor| (group, tensor)))
        .map(|(group, tensor)| {
            (format!("{group}:{}", tensor.name), tensor, to_bytes(&tensor.values))
        })
        .collect();
    let views = all.iter().map(|(name, tensor, bytes)| {
        Ok((name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    let state = serde_json::to_string(&checkpoint.state).expect("plain data is always JSON");
    Ok(safetensors::serialize(views, Some([(STATE.to_owned(), state)].into()))?)
}

/// A training's state after some epochs.
///
/// # Errors
/// [`FileError`] if it is none.
pub fn read_checkpoint(bytes: &[u8]) -> Result<Checkpoint, FileError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let state = header.metadata().as_ref().and_then(|metadata| metadata.get(STATE));
    let state = serde_json::from_str(state.map_or("", String::as_str))?;
    let (mut weights, mut optimizer, mut best) = (Vec::new(), Vec::new(), Vec::new());
    for tensor in read_weights(bytes)? {
        let (group, name) = tensor.name.split_once(':').unwrap_or(("", ""));
        let list = match group {
            "net" => &mut weights,
            "optimizer" => &mut optimizer,
            "best" => &mut best,
            _ => continue,
        };
        list.push(NamedTensor { name: name.to_owned(), ..tensor });
    }
    Ok(Checkpoint { weights, optimizer, best, state })
}

fn floats(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, FileError> {
    if view.dtype() != Dtype::F32 {
        return Err(FileError::Type(name.to_owned()));
    }
    Ok(words(view.data()).map(f32::from_le_bytes).collect())
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes.chunks_exact(4).map(|word| [word[0], word[1], word[2], word[3]])
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop, proptest};

    #[test]
    fn weights_and_logits_go_there_and_back() {
        let tensor = NamedTensor {
            name: "w".to_owned(),
            shape: vec![2, 1],
            values: vec![1.5, f32::MIN_POSITIVE],
        };
        let bytes = write_weights(std::slice::from_ref(&tensor)).unwrap();
        assert_eq!(read_weights(&bytes).unwrap(), [tensor]);
        let bytes = write_logits(&[4, 2], &[0.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(
            read_logits(&bytes).unwrap(),
            Logits::new(&[4, 2], vec![0.0, 1.0, 2.0, 3.0], 2).unwrap()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_weights(&bytes);
            let _ = read_logits(&bytes);
            let _ = crate::history::read(&bytes);
            let _ = read_checkpoint(&bytes);
        }
    }
}
