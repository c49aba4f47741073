//! The rate falls at some epochs.

use super::interface::{Epoch, Schedule};
use crate::kind::{Choice, Field, Kind, Range, Scalar};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Multiplied by `gamma` at the start of each of these epochs (counted from 0).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Epochs at which the rate falls.
    pub milestones: Vec<usize>,
    /// Factor at each of them.
    pub gamma: f64,
    /// Whether the optimizer starts anew at each of them, without momentum.
    pub restart: bool,
}

pub(super) const KIND: Kind<dyn Schedule> = Kind {
    name: "step",
    doc: "the rate is multiplied by gamma at each milestone",
    source: "torch.optim.lr_scheduler.MultiStepLR; gamma as in StepLR",
    fields: &[
        Field {
            name: "milestones",
            range: Range::Epochs,
            default: None,
            doc: "epochs after which the rate drops: 39 means that epoch 40 is the first with the new rate",
        },
        Field::above_0("gamma", "a factor above 0", "factor of each drop").or(Scalar::Number(0.1)),
        Field::flag("restart", "whether the optimizer restarts at each drop, without momentum")
            .or(Scalar::Flag(false)),
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Schedule>::read::<Step>(fields))),
};

impl From<Step> for Choice<dyn Schedule> {
    fn from(schedule: Step) -> Self {
        KIND.with(&schedule)
    }
}

impl Schedule for Step {
    fn rate(&self, base: f64, at: Epoch) -> f64 {
        let passed = self.milestones.iter().filter(|&&milestone| milestone <= at.index).count();
        base * self.gamma.powi(passed as i32)
    }

    fn restarts(&self, epoch: usize) -> bool {
        self.restart && self.milestones.contains(&epoch)
    }
}
