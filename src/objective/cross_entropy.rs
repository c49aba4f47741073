//! Cross entropy with the labels.

use super::interface::Supervised;
use crate::{
    kernels::{Weights, soft_loss},
    kind::{Choice, Kind},
};
use burn::tensor::{Int, Tensor, activation::log_softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `torch.nn.CrossEntropyLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CrossEntropy {}

pub(super) const KIND: Kind<dyn Supervised> = Kind {
    name: "cross_entropy",
    doc: "cross entropy with the labels",
    source: "torch.nn.CrossEntropyLoss",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Supervised>::read::<CrossEntropy>(fields))),
};

impl From<CrossEntropy> for Choice<dyn Supervised> {
    fn from(loss: CrossEntropy) -> Self {
        KIND.with(&loss)
    }
}

impl Supervised for CrossEntropy {
    fn loss(&self, logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        cross_entropy(logits, labels)
    }
}

/// Mean over the batch of −log p, p the softmax of the logits at the label; `labels` has shape `[batch]`.
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let images = logits.dims()[0] as f64;
    let weights = Weights { labels: 1.0 / images, teacher: 0.0, temperature: 1.0 };
    if let Some(loss) = soft_loss(&logits, &labels, None, weights) {
        return loss;
    }
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).mean().neg()
}
