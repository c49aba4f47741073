//! What a rule is to a training, and what several share.

use crate::kind::Field;
use burn::tensor::Tensor;
use std::fmt::Debug;

/// A rule that turns a gradient into an update, a parameter at a time.
pub trait Optimizer: Debug + Send + Sync {
    /// Learning rate before any schedule.
    fn lr(&self) -> f64;

    /// The rate that people begin with.
    fn usual_lr(&self) -> f64;

    /// How many tensors of a parameter's size the state holds.
    fn states(&self) -> usize;

    /// The parameter after a step; `state` is empty before the first one.
    fn update(&self, step: Step, state: &mut Vec<Tensor<1>>) -> Tensor<1>;
}

/// One parameter in one step, flat.
pub struct Step {
    /// Before the step.
    pub value: Tensor<1>,
    /// Its gradient.
    pub gradient: Tensor<1>,
    /// Learning rate.
    pub lr: f64,
    /// Steps made with this one: from 1.
    pub steps: i32,
}

/// The field of every rule.
pub(super) const LR: Field =
    Field::above_0("lr", "a learning rate above 0", "learning rate at the start");

/// A weight decay; what it does is each rule's own.
pub(super) const fn weight_decay(doc: &'static str) -> Field {
    Field::from_0("weight_decay", "a weight decay of 0 or more", doc)
}

/// The gradient of the loss with an L2 penalty.
pub(super) fn penalised(gradient: Tensor<1>, value: &Tensor<1>, weight_decay: f64) -> Tensor<1> {
    if weight_decay == 0.0 { gradient } else { gradient + value.clone() * weight_decay }
}
