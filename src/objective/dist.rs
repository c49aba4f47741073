//! DIST: correlations in place of divergences.

use super::{
    interface::{Batch, Distillation},
    softened::{self, CE, STANDARDIZE, correlation},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{Tensor, activation::softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + weight·τ²·[β·(1 − mean ρ of rows) + γ·(1 − mean ρ of columns)], with ρ Pearson's correlation
/// of the two softmaxes. The columns are those of the batch: its composition counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dist {
    /// τ, above 0.
    pub temperature: f64,
    /// β, the weight of the correlation over classes.
    pub beta: f64,
    /// γ, the weight of the correlation over the batch.
    pub gamma: f64,
    /// Weight of both.
    pub weight: f64,
    /// Weight of the cross entropy.
    pub ce: f64,
    /// Whether the teacher's terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "dist",
    doc: "DIST: ce·CE + weight·τ²·[β·(1 − ρ of rows) + γ·(1 − ρ of columns)] of the softmaxes",
    source: "Huang et al. 2022; image_classification_sota 6f7a70a, dist_kd.py",
    fields: &[
        Field::above_0("temperature", "a temperature above 0", "τ of both softmaxes")
            .or(Scalar::Number(1.0)),
        Field::from_0(
            "beta",
            "a weight of 0 or more",
            "β, the weight of the correlation of an image's classes",
        )
        .or(Scalar::Number(1.0)),
        Field::from_0(
            "gamma",
            "a weight of 0 or more",
            "γ, the weight of the correlation of a class over the batch, whose composition counts",
        )
        .or(Scalar::Number(1.0)),
        Field::from_0("weight", "a weight of 0 or more", "the weight of both correlations")
            .or(Scalar::Number(2.0)),
        CE.or(Scalar::Number(1.0)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Dist>(fields))),
};

impl From<Dist> for Choice<dyn Distillation> {
    fn from(dist: Dist) -> Self {
        KIND.with(&dist)
    }
}

impl Dist {
    /// 1 − the mean correlation of rows, and of columns, each times τ².
    fn terms(&self, batch: &Batch) -> [Tensor<1>; 2] {
        let [q, p] = softened::logits(batch, self.standardize)
            .map(|logits| softmax(logits / self.temperature, 1));
        let distance = |q, p| {
            let mean = correlation(q, p).mean();
            (mean.neg() + 1.0) * (self.temperature * self.temperature)
        };
        [distance(q.clone(), p.clone()), distance(q.transpose(), p.transpose())]
    }
}

impl Distillation for Dist {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [rows, columns] = self.terms(&batch);
        let soft = (rows * self.beta + columns * self.gamma) * self.weight;
        softened::with_labels(self.ce, batch, soft)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, first, of, value};

    const DIST: Dist =
        Dist { temperature: 1.0, beta: 1.0, gamma: 1.0, weight: 1.0, ce: 0.0, standardize: false };

    #[test]
    fn the_correlations_are_those_of_the_released_code() {
        for (temperature, expected) in [(1.0, [0.042804, 0.030652]), (4.0, [1.188243, 0.451173])] {
            let terms = Dist { temperature, ..DIST }.terms(&first(3));
            assert_near(&terms.map(value), &expected);
        }
    }

    /// A batch of one has no columns to correlate: the rows alone teach.
    #[test]
    fn a_batch_of_one_gives_numbers() {
        let (loss, gradient) = of(&DIST, first(1));
        assert!(loss.is_finite() && gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
    }
}
