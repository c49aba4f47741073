//! `torch.optim.AdamW`.

use super::{
    adam::{BETAS, EPSILON, adapted},
    interface::{LR, Optimizer, Step, weight_decay},
};
use crate::{
    kernels::Moments,
    kind::{Choice, Kind, Scalar},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): the penalty shrinks the weights.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AdamW {
    /// Learning rate at the start.
    pub lr: f64,
    /// Decay of the first and second moments, each in [0, 1).
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub epsilon: f64,
    /// Share of the weights that a step at rate 1 takes away.
    pub weight_decay: f64,
}

pub(super) const KIND: Kind<dyn Optimizer> = Kind {
    name: "adamw",
    doc: "Adam with decoupled weight decay (Loshchilov and Hutter 2019)",
    source: "torch.optim.AdamW",
    fields: &[LR, BETAS, EPSILON, weight_decay("shrinks the weights").or(Scalar::Number(0.01))],
    make: |fields| Ok(Arc::new(Kind::<dyn Optimizer>::read::<AdamW>(fields))),
};

impl From<AdamW> for Choice<dyn Optimizer> {
    fn from(adamw: AdamW) -> Self {
        KIND.with(&adamw)
    }
}

impl Optimizer for AdamW {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn usual_lr(&self) -> f64 {
        0.001
    }

    fn states(&self) -> usize {
        2
    }

    fn update(&self, step: Step, state: &mut Vec<Tensor<1>>) -> Tensor<1> {
        let Self { betas, epsilon, weight_decay, .. } = *self;
        let Step { lr, steps, .. } = step;
        let keep = 1.0 - lr * weight_decay;
        adapted(step, state, Moments { lr, betas, epsilon, steps, penalty: 0.0, keep })
    }
}
