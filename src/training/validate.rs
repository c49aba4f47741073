//! How good a training is after an epoch.

use super::{InferError, infer_from};
use crate::{
    dataset::View,
    metric::metrics,
    network::{AnyTensor, Network, Role, Visitor},
};
use burn::tensor::{Int, Tensor};

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
