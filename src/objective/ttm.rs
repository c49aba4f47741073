//! Transformed teacher matching.

use super::{
    interface::{Batch, Distillation},
    softened::{self, CE, STANDARDIZE},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{Tensor, activation::log_softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + weight·KL(p^l/Σp^l ‖ softmax(student)): the teacher alone is softened, by a power of its
/// probabilities. `weighted` (WTTM) multiplies each image's divergence by Σp^l, which is large where the
/// teacher is unsure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ttm {
    /// l, in (0, 1]: 1/l is the teacher's temperature.
    pub power: f64,
    /// Whether images weigh Σp^l.
    pub weighted: bool,
    /// Weight of the divergence.
    pub weight: f64,
    /// Weight of the cross entropy.
    pub ce: f64,
    /// Whether the teacher's terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "ttm",
    doc: "transformed teacher matching: ce·CE + weight·KL(p^l/Σp^l ‖ softmax(student)); WTTM if weighted",
    source: "Zheng & Yang 2024; TTM fe457b3",
    fields: &[
        Field::above_0("power", "a power above 0", "l, the power of the teacher's probabilities")
            .or(Scalar::Number(0.1)),
        Field::flag("weighted", "whether an image's divergence weighs Σp^l (WTTM)")
            .or(Scalar::Flag(false)),
        Field::from_0("weight", "a weight of 0 or more", "the weight of the divergence")
            .or(Scalar::Number(45.0)),
        CE.or(Scalar::Number(1.0)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Ttm>(fields))),
};

impl From<Ttm> for Choice<dyn Distillation> {
    fn from(ttm: Ttm) -> Self {
        KIND.with(&ttm)
    }
}

impl Distillation for Ttm {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [student, teacher] = softened::logits(&batch, self.standardize);
        let powers = log_softmax(teacher, 1) * self.power;
        let log_p = log_softmax(powers.clone(), 1);
        let rows = (log_p.clone().exp() * (log_p - log_softmax(student, 1))).sum_dim(1);
        let rows = if self.weighted { rows * powers.exp().sum_dim(1) } else { rows };
        softened::with_labels(self.ce, batch, softened::mean_over_batch(rows) * self.weight)
    }

    /// 1/l: the softmax of the teacher's logits times l is p^l/Σp^l.
    fn temperature(&self) -> Option<f64> {
        Some(1.0 / self.power)
    }

    /// Times Σp^l, at least 1, if `weighted`.
    fn teacher_weight(&self, _classes: usize) -> Option<f64> {
        Some(self.weight / self.ce)
    }

    fn lighter(&self, _classes: usize) -> Option<String> {
        softened::lighter("weight")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, loss_and_gradient};

    #[test]
    fn the_losses_are_those_of_the_released_code() {
        for (weighted, expected) in [(false, 0.099100), (true, 0.328016)] {
            let ttm = Ttm { power: 0.1, weighted, weight: 1.0, ce: 0.0, standardize: false };
            assert_near(&[loss_and_gradient(&ttm).0], &[expected]);
        }
    }
}
