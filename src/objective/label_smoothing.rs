//! Label smoothing.

use super::interface::Supervised;
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{Int, Tensor, activation::log_softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// (1−ε)·CE + ε·the mean over all classes of −log p: PyTorch's `label_smoothing` (Szegedy et al. 2016,
/// section 7).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LabelSmoothing {
    /// ε, in [0, 1): how much of the label's weight is spread over all classes.
    pub epsilon: f64,
}

pub(super) const KIND: Kind<dyn Supervised> = Kind {
    name: "label_smoothing",
    doc: "(1−ε)·cross entropy + ε·the mean over all classes of −log p",
    source: "Szegedy et al. 2016, section 7; torch.nn.CrossEntropyLoss(label_smoothing)",
    fields: &[Field::below_1(
        "epsilon",
        "ε, the share of the label that is spread over all classes",
    )
    .or(Scalar::Number(0.1))],
    make: |fields| Ok(Arc::new(Kind::<dyn Supervised>::read::<LabelSmoothing>(fields))),
};

impl From<LabelSmoothing> for Choice<dyn Supervised> {
    fn from(loss: LabelSmoothing) -> Self {
        KIND.with(&loss)
    }
}

impl Supervised for LabelSmoothing {
    fn loss(&self, logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        let log_p = log_softmax(logits, 1);
        let hard = log_p.clone().gather(1, labels.unsqueeze_dim(1)).mean().neg();
        hard * (1.0 - self.epsilon) - log_p.mean() * self.epsilon
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_value_is_pytorchs() {
        let device = Device::flex();
        let logits =
            Tensor::<2>::from_floats([[1.0, 0.5, 0.0, -0.5], [1.0, 1.5, 0.0, 0.5]], &device);
        let labels = Tensor::<1, Int>::from_ints([0, 3], &device);
        let loss = |epsilon| {
            let loss = LabelSmoothing { epsilon }.loss(logits.clone(), labels.clone());
            loss.into_data().try_into_vec_as::<f32>().unwrap()[0]
        };
        // torch.nn.CrossEntropyLoss(label_smoothing=0.1) of these logits and labels.
        assert!((loss(0.1) - 1.312_339).abs() < 2e-6, "{}", loss(0.1));
        let plain = super::super::cross_entropy(logits.clone(), labels.clone());
        let plain = plain.into_data().try_into_vec_as::<f32>().unwrap()[0];
        assert!((loss(0.0) - plain).abs() < 1e-6);
    }
}
