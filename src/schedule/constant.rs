//! The optimizer's rate throughout.

use super::interface::{Epoch, Schedule};
use crate::kind::{Choice, Kind};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The optimizer's rate throughout.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Constant {}

pub(super) const KIND: Kind<dyn Schedule> = Kind {
    name: "constant",
    doc: "the optimizer's rate throughout",
    source: "torch.optim.lr_scheduler.ConstantLR",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Schedule>::read::<Constant>(fields))),
};

impl From<Constant> for Choice<dyn Schedule> {
    fn from(schedule: Constant) -> Self {
        KIND.with(&schedule)
    }
}

impl Schedule for Constant {
    fn rate(&self, base: f64, _: Epoch) -> f64 {
        base
    }
}
