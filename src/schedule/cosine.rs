//! Half a cosine.

use super::interface::{Epoch, Schedule};
use crate::kind::{Choice, Field, Kind, Scalar};
use serde::{Deserialize, Serialize};
use std::{f64::consts::PI, sync::Arc};

/// Half a cosine from the optimizer's rate to `min` (Loshchilov and Hutter 2017, eq. 5).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cosine {
    /// Rate that the last epoch comes near to.
    pub min: f64,
}

pub(super) const KIND: Kind<dyn Schedule> = Kind {
    name: "cosine",
    doc: "half a cosine from the optimizer's rate to min",
    source: "Loshchilov and Hutter 2017, equation 5; torch.optim.lr_scheduler.CosineAnnealingLR",
    fields: &[Field::from_0(
        "min",
        "a rate of 0 or more",
        "the rate that the last epoch comes near to",
    )
    .or(Scalar::Number(0.0))],
    make: |fields| Ok(Arc::new(Kind::<dyn Schedule>::read::<Cosine>(fields))),
};

impl From<Cosine> for Choice<dyn Schedule> {
    fn from(schedule: Cosine) -> Self {
        KIND.with(&schedule)
    }
}

impl Schedule for Cosine {
    fn rate(&self, base: f64, at: Epoch) -> f64 {
        let span = (at.epochs - at.warmup).max(1) as f64;
        let done = (at.index - at.warmup) as f64 / span;
        self.min + (base - self.min) * (1.0 + (PI * done).cos()) / 2.0
    }
}
