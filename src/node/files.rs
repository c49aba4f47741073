//! The files inside entries: weights and logits as safetensors.

mod checkpoint;
mod format;
mod given;
mod label;
mod logits;
mod npy;

pub use checkpoint::{read_checkpoint, write_checkpoint};
pub use format::FileError;
pub use label::label_weights;

pub(super) use given::read_given;

use crate::{keep::Keep, network::NamedTensor, training::Logits};
use format::{finite, floats, id_bytes, serialize, to_bytes, words};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Weights and running statistics under PyTorch's names.
pub const WEIGHTS: &str = "weights.safetensors";
/// `ids` `[samples]` and `logits` `[samples, classes]`.
pub(super) const LOGITS: &str = "logits.safetensors";

/// Tensors as a safetensors file.
///
/// # Errors
/// [`FileError`] if a tensor's shape is not that of its values, or one of them is NaN or infinite.
pub fn write_weights(tensors: &[NamedTensor]) -> Result<Vec<u8>, FileError> {
    let named: Vec<_> = tensors.iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
    serialize(&named, None)
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

/// A teacher's logits, a row for each id, as much as is kept of them.
pub(super) fn write_logits(ids: &[u32], values: &[f32], keep: Keep) -> Result<Vec<u8>, FileError> {
    match keep {
        Keep::F32 => write_rows(ids, values, None),
        Keep::F16 => logits::write_f16(ids, values),
        Keep::Top(count) => logits::write_top(ids, values, count),
    }
}

/// Logits of the first images of a split, and the seconds that they took.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Sample ids of the images.
    pub ids: Vec<u32>,
    /// A row of logits for each.
    pub values: Vec<f32>,
    /// Seconds of all the passes that made it.
    pub seconds: f64,
}

/// Name of the metadata that holds a part's seconds.
const SECONDS: &str = "seconds";

/// The finished part of a pass over a split, for [`read_part`].
///
/// # Errors
/// [`FileError`] if there is not a row for each id, or a value is NaN or infinite.
pub fn write_part(part: &Part) -> Result<Vec<u8>, FileError> {
    write_rows(&part.ids, &part.values, Some(part.seconds))
}

/// What [`write_part`] wrote.
///
/// # Errors
/// [`FileError`] if it is anything else.
pub fn read_part(bytes: &[u8]) -> Result<Part, FileError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let seconds = header.metadata().as_ref().and_then(|metadata| metadata.get(SECONDS));
    let seconds: f64 = serde_json::from_str(seconds.map_or("", String::as_str))?;
    let (ids, values, _) = read_rows(bytes)?;
    finite(&values)?;
    Ok(Part { ids, values, seconds })
}

fn write_rows(ids: &[u32], values: &[f32], seconds: Option<f64>) -> Result<Vec<u8>, FileError> {
    finite(values)?;
    let metadata = seconds.map(|seconds| [(SECONDS.to_owned(), format!("{seconds:?}"))].into());
    let (ids_of, bytes, classes) =
        (id_bytes(ids), to_bytes(values), values.len() / ids.len().max(1));
    let views = [
        ("ids", TensorView::new(Dtype::U32, vec![ids.len()], &ids_of)?),
        ("logits", TensorView::new(Dtype::F32, vec![ids.len(), classes], &bytes)?),
    ];
    Ok(safetensors::serialize(views, metadata)?)
}

/// A teacher's logits.
///
/// # Errors
/// [`FileError`] if the file is damaged or holds no row for each id.
pub fn read_logits(bytes: &[u8]) -> Result<Logits, FileError> {
    let (ids, values, classes) = read_rows(bytes)?;
    Ok(Logits::new(&ids, values, classes)?)
}

/// Ids, logits, and their number in a row.
fn read_rows(bytes: &[u8]) -> Result<(Vec<u32>, Vec<f32>, usize), FileError> {
    let file = SafeTensors::deserialize(bytes)?;
    let ids = file.tensor("ids")?;
    if ids.dtype() != Dtype::U32 {
        return Err(FileError::Type("ids".to_owned()));
    }
    let ids: Vec<u32> = words(ids.data()).map(u32::from_le_bytes).collect();
    if file.tensor("top").is_ok() {
        let (values, classes) = logits::read_top(bytes, &file, ids.len())?;
        return Ok((ids, values, classes));
    }
    let logits = file.tensor("logits")?;
    let classes = logits.shape().last().copied().unwrap_or(0);
    let values = match logits.dtype() {
        Dtype::F16 => logits::halves(logits.data()),
        _ => floats("logits", &logits)?,
    };
    Ok((ids, values, classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Checkpoint, TrainingState};
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
        let bytes = write_logits(&[4, 2], &[0.0, 1.0, 2.0, 3.0], Keep::F32).unwrap();
        assert_eq!(
            read_logits(&bytes).unwrap(),
            Logits::new(&[4, 2], vec![0.0, 1.0, 2.0, 3.0], 2).unwrap()
        );
        let part = Part { ids: vec![4, 2], values: vec![0.0, 1.0, 2.0, 3.0], seconds: 0.1 + 0.2 };
        let bytes = write_part(&part).unwrap();
        assert_eq!(read_part(&bytes).unwrap(), part);
        assert_eq!(read_logits(&bytes).unwrap(), Logits::new(&[4, 2], part.values, 2).unwrap());
    }

    #[test]
    fn no_file_gets_what_is_no_number() {
        let tensor =
            |value| NamedTensor { name: "w".to_owned(), shape: vec![1], values: vec![value] };
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let told = |error: FileError| error.to_string();
            let weights = write_weights(&[tensor(1.0), tensor(value)]).map_err(told);
            assert_eq!(weights.unwrap_err(), "`w` holds NaN or infinite values");
            assert!(write_logits(&[1], &[0.0, value], Keep::F32).is_err());
            let part = Part { ids: vec![1], values: vec![value], seconds: 0.0 };
            assert!(write_part(&part).is_err());
            let state =
                TrainingState { steps: 1, best: None, seconds: 0.0, history: vec![], within: None };
            let [weights, optimizer, learned, best] = [(); 4].map(|()| vec![tensor(1.0)]);
            let peers = Vec::new();
            let whole = Checkpoint { weights, optimizer, learned, best, state, peers };
            assert!(write_checkpoint(&whole).is_ok());
            for (index, group) in
                ["net:w", "optimizer:w", "learned:w", "best:w"].into_iter().enumerate()
            {
                let mut wrong = whole.clone();
                let groups =
                    [&mut wrong.weights, &mut wrong.optimizer, &mut wrong.learned, &mut wrong.best];
                groups.into_iter().nth(index).unwrap()[0] = tensor(value);
                let problem = write_checkpoint(&wrong).map_err(told).unwrap_err();
                assert_eq!(problem, format!("`{group}` holds NaN or infinite values"));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_weights(&bytes);
            let _ = read_logits(&bytes);
            let _ = crate::history::read(&bytes);
            let _ = read_checkpoint(&bytes);
            let _ = read_part(&bytes);
        }
    }
}
