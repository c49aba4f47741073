//! What a training looks at after an epoch: whether its numbers are finite, and its accuracy.

use super::{InferError, LearnError, OptimizerState, infer_from, learned::Learned};
use crate::{
    dataset::View,
    metric::metrics,
    network::{AnyTensor, NamedTensor, Network, Role, Visitor},
};
use burn::tensor::{Int, Tensor};

/// The weights after an epoch. The last step's update is not seen by any loss, and an optimizer's
/// state that is infinite leaves its parameter where it is for good.
pub(super) fn finite(
    net: &Network,
    learned: &Learned,
    state: &OptimizerState,
    epoch: usize,
    lr: f64,
    last: f64,
) -> Result<Vec<NamedTensor>, LearnError> {
    let wild = |tensor: &&NamedTensor| !tensor.is_finite();
    let (weights, (_, state)) = (net.save(), state.save());
    let learned = learned.save();
    let name = weights
        .iter()
        .chain(&learned)
        .find(wild)
        .map(|tensor| tensor.name.clone())
        .or_else(|| state.iter().find(wild).map(|tensor| format!("optimizer:{}", tensor.name)));
    name.map_or(Ok(weights), |name| Err(LearnError::Overflown { name, epoch, lr, last }))
}

/// Top-1 accuracy on `view`; `go_on` is asked before each batch.
pub(super) fn accuracy(
    net: &Network,
    view: &View,
    classes: usize,
    go_on: &mut dyn FnMut(&[f32]) -> bool,
) -> Result<f64, InferError> {
    let mut frozen = net.clone();
    frozen.visit(&mut Untrack);
    let logits = infer_from(&frozen, view, classes, Vec::new(), go_on)?;
    Ok(metrics(&logits, &view.labels, classes, 1.0).top1())
}

/// Takes a network's parameters out of autodiff: evaluation records nothing.
struct Untrack;

impl Visitor for Untrack {
    fn visit(&mut self, _: &str, _: Role, tensor: &mut dyn AnyTensor) {
        tensor.untrack();
    }
}

/// `[1]`: how many images have their largest logit at their label.
pub(super) fn hits(logits: &Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    logits.clone().argmax(1).flatten::<1>(0, 1).equal(labels.clone()).int().sum().float()
}
