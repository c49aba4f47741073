//! `torch.optim.SGD`.

use super::interface::{LR, Optimizer, Step, penalised, weight_decay};
use crate::{
    kernels::{Descent, descend},
    kind::{Choice, Conflict, Field, Kind, Scalar},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Stochastic gradient descent, with momentum.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sgd {
    /// Learning rate at the start.
    pub lr: f64,
    /// Momentum in [0, 1); 0 for none.
    pub momentum: f64,
    /// Look-ahead momentum (Sutskever et al. 2013).
    pub nesterov: bool,
    /// L2 penalty, added to the gradient.
    pub weight_decay: f64,
}

pub(super) const KIND: Kind<dyn Optimizer> = Kind {
    name: "sgd",
    doc: "stochastic gradient descent",
    source: "torch.optim.SGD",
    fields: &[
        LR,
        Field::below_1("momentum", "momentum").or(Scalar::Number(0.0)),
        Field::flag("nesterov", "look-ahead momentum (Sutskever et al. 2013)")
            .or(Scalar::Flag(false)),
        weight_decay("L2 penalty, added to the gradient").or(Scalar::Number(0.0)),
    ],
    make: |fields| {
        let sgd: Sgd = Kind::<dyn Optimizer>::read(fields);
        if sgd.nesterov && sgd.momentum == 0.0 {
            return Err(Conflict::new("nesterov needs a momentum above 0"));
        }
        Ok(Arc::new(sgd))
    },
};

impl From<Sgd> for Choice<dyn Optimizer> {
    fn from(sgd: Sgd) -> Self {
        KIND.with(&sgd)
    }
}

impl Optimizer for Sgd {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn usual_lr(&self) -> f64 {
        0.01
    }

    fn states(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    fn update(&self, step: Step, state: &mut Vec<Tensor<1>>) -> Tensor<1> {
        let Step { value, gradient, lr, .. } = step;
        let Self { momentum, nesterov, weight_decay, .. } = *self;
        if let [velocity] = &state[..] {
            let descent = Descent { lr, momentum, weight_decay, nesterov };
            if let Some([value, velocity]) = descend(&value, &gradient, velocity, descent) {
                *state = vec![velocity];
                return value;
            }
        }
        let gradient = penalised(gradient, &value, weight_decay);
        let direction = if momentum == 0.0 {
            gradient
        } else {
            let velocity = match state.pop() {
                Some(old) => old * momentum + gradient.clone(),
                None => gradient.clone(),
            };
            state.push(velocity.clone());
            if nesterov { gradient + velocity * momentum } else { velocity }
        };
        value - direction * lr
    }
}
