//! `torch.optim.Adam`.

use super::interface::{LR, Optimizer, Step, penalised, weight_decay};
use crate::{
    kernels::{Moments, adapt},
    kind::{Choice, Field, Kind, Range, Scalar},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Adam (Kingma and Ba 2015): the penalty is added to the gradient.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Adam {
    /// Learning rate at the start.
    pub lr: f64,
    /// Decay of the first and second moments, each in [0, 1).
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub epsilon: f64,
    /// L2 penalty.
    pub weight_decay: f64,
}

pub(super) const BETAS: Field = Field {
    name: "betas",
    range: Range::Shares,
    default: Some(Scalar::Pair([0.9, 0.999])),
    doc: "decay of the first and second moments",
};

pub(super) const EPSILON: Field =
    Field::above_0("epsilon", "a number above 0", "added to the denominator")
        .or(Scalar::Number(1e-8));

pub(super) const KIND: Kind<dyn Optimizer> = Kind {
    name: "adam",
    doc: "Adam (Kingma and Ba 2015)",
    source: "torch.optim.Adam",
    fields: &[
        LR,
        BETAS,
        EPSILON,
        weight_decay("L2 penalty, added to the gradient").or(Scalar::Number(0.0)),
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Optimizer>::read::<Adam>(fields))),
};

impl From<Adam> for Choice<dyn Optimizer> {
    fn from(adam: Adam) -> Self {
        KIND.with(&adam)
    }
}

impl Optimizer for Adam {
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
        let Self { betas, epsilon, weight_decay: penalty, .. } = *self;
        let Step { lr, steps, .. } = step;
        adapted(step, state, Moments { lr, betas, epsilon, steps, penalty, keep: 1.0 })
    }
}

/// Kingma and Ba 2015, algorithm 1, with the bias corrections where PyTorch puts them.
pub(super) fn adapted(step: Step, state: &mut Vec<Tensor<1>>, moments: Moments) -> Tensor<1> {
    let Step { value, gradient, .. } = step;
    if let [first, second] = &state[..]
        && let Some([value, first, second]) = adapt(&value, &gradient, [first, second], moments)
    {
        *state = vec![first, second];
        return value;
    }
    let Moments { lr, betas: [beta1, beta2], epsilon, steps, penalty, keep } = moments;
    let gradient = penalised(gradient, &value, penalty);
    let square = gradient.clone() * gradient.clone() * (1.0 - beta2);
    let gradient = gradient * (1.0 - beta1);
    let (second, first) = match (state.pop(), state.pop()) {
        (Some(second), Some(first)) => (second * beta2 + square, first * beta1 + gradient),
        _ => (square, gradient),
    };
    *state = vec![first.clone(), second.clone()];
    let scale = (1.0 - beta2.powi(steps)).sqrt();
    let denominator = second.sqrt() / scale + epsilon;
    let direction = first / (1.0 - beta1.powi(steps)) / denominator;
    let value = if keep == 1.0 { value } else { value * keep };
    value - direction * lr
}
