//! A frozen teacher's features over images that never change: made once and kept in memory, if they are
//! few enough.
//!
//! Features are large: at the ends of the stages of a CIFAR ResNet 28,672 values an image, 5.7 GB of
//! 50,000. Read from a disk they come hardly faster than they are made, so no entry holds any.

use super::{InferError, logits::answer};
use crate::{
    dataset::View,
    memory::Promise,
    network::Network,
    tap::{Tap, Tapped},
    tensors::host,
};
use burn::tensor::{Int, Tensor, TensorData};

/// What a teacher says of each image: logits and features.
pub(super) struct Kept {
    logits: Tensor<2>,
    features: Vec<(Tapped, Tensor<2>)>,
    /// The memory that they take.
    _promised: Promise,
}

impl Kept {
    /// Of `teacher` over `view`, in the memory that is promised; `go_on` is asked before each batch.
    pub fn new(
        promised: Promise,
        teacher: &Network,
        view: &View,
        taps: &[Tapped],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, InferError> {
        let names: Vec<Tap> = taps.iter().map(|tapped| tapped.tap).collect();
        // Vectors that grow take twice what they hold.
        let room = |tapped: &Tapped| Vec::with_capacity(view.len() * tapped.shape.size());
        let (mut logits, mut rows) = (Vec::new(), taps.iter().map(room).collect::<Vec<_>>());
        let (places, mut done): (Vec<u32>, _) = ((0..view.len() as u32).collect(), 0);
        let batches = view.batches(&places, view.shape().together(), None);
        for batch in batches? {
            if !go_on() {
                return Err(InferError::Stopped);
            }
            let (new, features) = answer(teacher, batch?, &names, &mut done)?;
            logits.extend(new);
            for (rows, feature) in rows.iter_mut().zip(features) {
                rows.extend(host(feature));
            }
        }
        let rows_of = |values: Vec<f32>| {
            let shape = [view.len(), values.len() / view.len().max(1)];
            Tensor::from_data(TensorData::new(values, shape), &view.device())
        };
        let features = taps.iter().copied().zip(rows.into_iter().map(rows_of)).collect();
        Ok(Self { logits: rows_of(logits), features, _promised: promised })
    }

    /// Logits, and features by their taps, of the images at these indices of the view.
    pub fn batch(&self, at: &Tensor<1, Int>) -> (Tensor<2>, Vec<(Tap, Tensor<4>)>) {
        let of = |rows: &Tensor<2>| rows.clone().select(0, at.clone());
        let features = self.features.iter().map(|(tapped, rows)| {
            let shape = tapped.shape;
            let size = [at.dims()[0], shape.channels, shape.height, shape.width];
            (tapped.tap, of(rows).reshape(size))
        });
        (of(&self.logits), features.collect())
    }
}
