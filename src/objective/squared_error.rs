//! Squared error against the one-hot labels.

use super::{interface::Supervised, softened::at_label};
use crate::kind::{Choice, Kind};
use burn::tensor::{Int, Tensor, activation::softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The mean over the batch of ‖softmax(logits) − one-hot label‖²: a teacher that is trained so gives
/// probabilities nearer to the true ones (Hamidi et al., ECCV 2024).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SquaredError {}

pub(super) const KIND: Kind<dyn Supervised> = Kind {
    name: "squared_error",
    doc: "squared error of the softmax against the one-hot labels, summed over the classes",
    source: "Hamidi et al., ECCV 2024, for teachers",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Supervised>::read::<SquaredError>(fields))),
};

impl From<SquaredError> for Choice<dyn Supervised> {
    fn from(loss: SquaredError) -> Self {
        KIND.with(&loss)
    }
}

impl Supervised for SquaredError {
    fn loss(&self, logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        let [batch, classes] = logits.dims();
        let off = softmax(logits, 1) - at_label(&labels, classes);
        (off.clone() * off).sum() / batch as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, value};

    #[test]
    fn the_value_is_that_of_the_formula() {
        let batch = batch();
        let loss = SquaredError {}.loss(batch.student, batch.labels);
        // torch.nn.functional.mse_loss(softmax, one_hot, reduction="sum") / 2.
        assert_near(&[value(loss)], &[GOLDEN]);
    }

    const GOLDEN: f32 = 0.699128;
}
