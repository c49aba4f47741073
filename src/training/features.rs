//! A frozen teacher's features over images that never change: made once and kept in memory, if they are
//! few enough.
//!
//! Features are large: at the ends of the stages of a CIFAR ResNet 28,672 values an image, 5.7 GB of
//! 50,000. Read from a disk they come hardly faster than they are made, so no entry holds any.

use super::{
    InferError, Logits, LogitsError,
    logits::{answer, together},
};
use crate::{
    dataset::View,
    memory::Promise,
    network::Network,
    tap::{Tap, Tapped},
    tensors::host,
};
use burn::tensor::{Device, Tensor};

/// What a teacher says of each image: logits and features.
pub(super) struct Kept {
    logits: Logits,
    features: Vec<(Tapped, Logits)>,
    /// The memory that they take.
    _promised: Promise,
}

/// Why nothing is kept.
pub(super) enum KeptError {
    /// A pass that did not end.
    Pass(InferError),
    /// Ids that come twice.
    Rows(LogitsError),
}

impl Kept {
    /// Of `teacher` over `view`, in the memory that is promised; `go_on` is asked before each batch.
    pub fn new(
        promised: Promise,
        teacher: &Network,
        view: &View,
        taps: &[Tapped],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, KeptError> {
        let names: Vec<Tap> = taps.iter().map(|tapped| tapped.tap).collect();
        // Vectors that grow take twice what they hold.
        let room = |tapped: &Tapped| Vec::with_capacity(view.len() * tapped.shape.size());
        let (mut logits, mut rows) = (Vec::new(), taps.iter().map(room).collect::<Vec<_>>());
        let (places, mut done): (Vec<u32>, _) = ((0..view.len() as u32).collect(), 0);
        let batches = view.batches(&places, together(view), None);
        for batch in batches.map_err(|error| KeptError::Pass(error.into()))? {
            if !go_on() {
                return Err(KeptError::Pass(InferError::Stopped));
            }
            let batch = batch.map_err(|error| KeptError::Pass(error.into()))?;
            let (new, features) =
                answer(teacher, batch, &names, &mut done).map_err(KeptError::Pass)?;
            logits.extend(new);
            for (rows, feature) in rows.iter_mut().zip(features) {
                rows.extend(host(feature));
            }
        }
        let by_id = |values: Vec<f32>| {
            let width = values.len() / view.ids.len().max(1);
            Logits::new(&view.ids, values, width).map_err(KeptError::Rows)
        };
        let features = taps.iter().copied().zip(rows);
        let features = features.map(|(tapped, values)| Ok((tapped, by_id(values)?)));
        let features = features.collect::<Result<_, KeptError>>()?;
        Ok(Self { logits: by_id(logits)?, features, _promised: promised })
    }

    /// Logits, and features by their taps, of the images with these ids.
    pub fn batch(&self, ids: &[u32], device: &Device) -> (Tensor<2>, Vec<(Tap, Tensor<4>)>) {
        let of = |rows: &Logits| rows.batch(ids.iter().copied(), device);
        let features = self.features.iter().map(|(tapped, rows)| {
            let shape = tapped.shape;
            let size = [ids.len(), shape.channels, shape.height, shape.width];
            (tapped.tap, of(rows).reshape(size))
        });
        (of(&self.logits), features.collect())
    }
}
