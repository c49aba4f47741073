//! A network's logits over a whole split, keyed by sample id.

use crate::{
    dataset::{Batch, DataError, View},
    kernels,
    network::Network,
    tap::Tap,
    tensors::{host, is_host},
};
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::HashMap;

/// Why a pass over a split gave no logits.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// Whoever oversees the pass said so.
    #[error("stopped")]
    Stopped,
    /// An image that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Logits that are NaN or infinite; told at the first batch that has some.
    #[error("NaN or infinite logits for {wrong} of the first {of} images")]
    NotFinite {
        /// Images with such a logit.
        wrong: usize,
        /// Images so far, that batch included.
        of: usize,
    },
}

/// Logits `[view.len(), classes]` of `net` over `view`, row by row.
///
/// # Errors
/// As [`infer_from`], without a stop.
pub fn infer(net: &Network, view: &View) -> Result<Vec<f32>, InferError> {
    infer_from(net, view, 1, Vec::new(), &mut |_| true)
}

/// Whatever says logits of images.
pub trait Classify {
    /// Why it cannot.
    type Error: From<InferError>;

    /// How many images of a view it takes together.
    fn together(&self, view: &View) -> usize;

    /// Logits, row by row, of normalised images `[batch, channels, height, width]`.
    ///
    /// # Errors
    /// Its own.
    fn classify(&self, images: Tensor<4>) -> Result<Vec<f32>, Self::Error>;
}

impl Classify for Network {
    type Error = InferError;

    fn together(&self, view: &View) -> usize {
        view.shape().together()
    }

    fn classify(&self, images: Tensor<4>) -> Result<Vec<f32>, InferError> {
        Ok(host(self.infer(images)))
    }
}

/// As [`infer`], on from the `rows` of `classes` logits that a pass over the same split has left.
/// `go_on` gets all rows so far before each batch; if it says no, that is the end. Rows come in
/// whole batches, so that the batches, and with them the bits, are those of a pass from the start.
///
/// # Errors
/// [`InferError`] if `go_on` says no, an image cannot be read, or a logit is NaN or infinite; those of `net`.
pub fn infer_from<C: Classify>(
    net: &C,
    view: &View,
    classes: usize,
    mut rows: Vec<f32>,
    go_on: &mut dyn FnMut(&[f32]) -> bool,
) -> Result<Vec<f32>, C::Error> {
    let size = net.together(view);
    let mut done = (rows.len() / classes).min(view.len());
    if done < view.len() {
        done -= done % size;
    }
    rows.truncate(done * classes);
    let places: Vec<u32> = (done as u32..view.len() as u32).collect();
    for batch in view.batches(&places, size, None).map_err(InferError::from)? {
        if !go_on(&rows) {
            return Err(InferError::Stopped.into());
        }
        let Batch { images, labels, .. } = batch.map_err(InferError::from)?;
        let logits = net.classify(images)?;
        check(&logits, labels.dims()[0], &mut done)?;
        kernels::settle();
        rows.extend(logits);
    }
    Ok(rows)
}

/// A batch's logits, row by row, and its features at `taps`. `done` counts the images so far.
pub(super) fn answer(
    net: &Network,
    batch: Batch,
    taps: &[Tap],
    done: &mut usize,
) -> Result<(Vec<f32>, Vec<Tensor<4>>), InferError> {
    let images = batch.labels.dims()[0];
    let (logits, features) = net.infer_with(batch.images, taps);
    let logits = host(logits);
    check(&logits, images, done)?;
    kernels::settle();
    Ok((logits, features))
}

/// Counts the images of a batch, whose logits must be finite.
fn check(logits: &[f32], images: usize, done: &mut usize) -> Result<(), InferError> {
    *done += images;
    let is_wild = |row: &&[f32]| row.iter().any(|logit| !logit.is_finite());
    match logits.chunks(logits.len() / images).filter(is_wild).count() {
        0 => Ok(()),
        wrong => Err(InferError::NotFinite { wrong, of: *done }),
    }
}

/// A teacher's logits over un-augmented training images, on the host.
///
/// Rows are found by sample id, never by position in a batch: under shuffling, a position names
/// another image in every epoch.
#[derive(Clone, Debug)]
pub struct Logits {
    rows: HashMap<u32, usize>,
    /// A tensor, so that a training on the CPU shares them.
    values: Tensor<2>,
}

/// Why stored logits cannot teach.
#[derive(Debug, thiserror::Error)]
pub enum LogitsError {
    /// The numbers do not form one row an id.
    #[error("{values} logits do not make a row of {classes} for each of {ids} samples")]
    Ragged {
        /// Ids given.
        ids: usize,
        /// Values given.
        values: usize,
        /// Classes expected.
        classes: usize,
    },
    /// A training sample has no row.
    #[error("the teacher's logits hold no row for sample {0}")]
    Missing(u32),
}

impl Logits {
    /// Standard deviation of all values.
    pub fn spread(&self) -> f64 {
        let values = host(self.values.clone());
        let count = values.len().max(1) as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let square = |&value: &f32| (f64::from(value) - mean).powi(2);
        (values.iter().map(square).sum::<f64>() / count).sqrt()
    }

    /// Row i of `values`, `classes` wide, belongs to sample `ids[i]`.
    ///
    /// # Errors
    /// [`LogitsError::Ragged`] if the lengths do not agree or an id comes twice.
    pub fn new(ids: &[u32], values: Vec<f32>, classes: usize) -> Result<Self, LogitsError> {
        let rows: HashMap<_, _> = ids.iter().copied().zip(0..).collect();
        if rows.len() != ids.len() || ids.len().checked_mul(classes) != Some(values.len()) {
            return Err(LogitsError::Ragged { ids: ids.len(), values: values.len(), classes });
        }
        let values = TensorData::new(values, [ids.len(), classes]);
        Ok(Self { rows, values: Tensor::from_data(values, &Device::flex()) })
    }

    /// Checks that every one of `ids` has a row.
    ///
    /// # Errors
    /// [`LogitsError::Missing`] names the first that has none.
    pub fn cover(&self, ids: &[u32]) -> Result<(), LogitsError> {
        match ids.iter().find(|id| !self.rows.contains_key(id)) {
            Some(&id) => Err(LogitsError::Missing(id)),
            None => Ok(()),
        }
    }

    /// `[ids, classes]` on `device`, a row for each of `ids` in their order.
    ///
    /// # Panics
    /// If an id has no row; see [`cover`](Self::cover).
    pub fn rows(&self, ids: &[u32], device: &Device) -> Tensor<2> {
        let rows: Vec<i32> = ids.iter().map(|id| self.rows[id] as i32).collect();
        // Most often they are asked for as they were made: on the CPU they are shared then.
        let as_they_are = rows.len() == self.rows.len() && rows.iter().copied().eq(0..);
        let values = self.values.clone();
        let values = if as_they_are {
            values
        } else {
            values.select(0, Tensor::from_data(rows.as_slice(), &Device::flex()))
        };
        if is_host(device) { values } else { Tensor::from_data(values.into_data(), device) }
    }
}

impl PartialEq for Logits {
    fn eq(&self, other: &Self) -> bool {
        let values = |logits: &Self| host(logits.values.clone());
        self.rows == other.rows && values(self) == values(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_ids_not_positions() {
        let logits = Logits::new(&[7, 3], vec![0.0, 1.0, 2.0, 3.0], 2).unwrap();
        let batch = logits.rows(&[3, 7], &Device::flex()).into_data();
        assert_eq!(batch.try_into_vec_as::<f32>().unwrap(), [2.0, 3.0, 0.0, 1.0]);
        assert!(matches!(logits.cover(&[3, 4]), Err(LogitsError::Missing(4))));
    }

    #[test]
    fn ragged_or_doubled_rows_are_refused() {
        assert!(Logits::new(&[1], vec![0.0], 2).is_err());
        assert!(Logits::new(&[1, 1], vec![0.0; 4], 2).is_err());
    }
}
