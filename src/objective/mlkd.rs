//! Multi-level logit distillation, of one view.

use super::{
    interface::{Batch, Distillation},
    softened::{self, CE, STANDARDIZE, kl},
};
use crate::{
    kernels,
    kind::{Choice, Field, Kind, Scalar},
};
use burn::tensor::{Tensor, activation::softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The temperatures over which it sums (`KD_ours.py`).
const TEMPERATURES: [f64; 5] = [4.0, 3.0, 5.0, 2.0, 6.0];

/// ce·CE + weight·Σ over τ of KD + ‖PᵀP − QᵀQ‖²/C + ‖PPᵀ − QQᵀ‖²/B, P and Q the softmaxes `[B, C]` of
/// teacher and student. The paper compares two views of each image; this is its loss on one. The batch's
/// composition counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MlkdOneView {
    /// Weight of the teacher's terms.
    pub weight: f64,
    /// Weight of the cross entropy.
    pub ce: f64,
    /// Whether the teacher's terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "mlkd_one_view",
    doc: "multi-level distillation of one view: ce·CE + weight·Σ over τ of KD, class and batch relations",
    source: "Jin et al. 2023; MLKD 5ee473f, KD_ours.py, without its second view",
    fields: &[
        Field::from_0(
            "weight",
            "a weight of 0 or more",
            "the weight of the teacher's terms; the batch's composition counts",
        )
        .or(Scalar::Number(0.9)),
        CE.or(Scalar::Number(0.1)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<MlkdOneView>(fields))),
};

impl From<MlkdOneView> for Choice<dyn Distillation> {
    fn from(mlkd: MlkdOneView) -> Self {
        KIND.with(&mlkd)
    }
}

impl MlkdOneView {
    /// Sums over the temperatures: of the divergences, the classes' relations, and the images'.
    fn terms(&self, batch: &Batch) -> [Tensor<1>; 3] {
        let [student, teacher] = softened::logits(batch, self.standardize);
        let [images, classes] = student.dims();
        let square = |difference: Tensor<2>| (difference.clone() * difference).sum();
        let gram = |rows: Tensor<2>| kernels::matmul_nt(rows.clone(), rows);
        let at = |temperature: f64| {
            let q = softmax(student.clone() / temperature, 1);
            let p = softmax(teacher.clone() / temperature, 1);
            let (qt, pt) = (q.clone().transpose(), p.clone().transpose());
            [
                kl(student.clone(), teacher.clone(), temperature),
                square(gram(pt) - gram(qt)) / classes as f64,
                square(gram(p) - gram(q)) / images as f64,
            ]
        };
        let [first, rest @ ..] = TEMPERATURES;
        rest.into_iter().fold(at(first), |[a, b, c], temperature| {
            let [x, y, z] = at(temperature);
            [a + x, b + y, c + z]
        })
    }
}

impl Distillation for MlkdOneView {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [divergence, classes, images] = self.terms(&batch);
        softened::with_labels(self.ce, batch, (divergence + classes + images) * self.weight)
    }

    /// That of the divergences; the relations come on top.
    fn teacher_weight(&self, _classes: usize) -> Option<f64> {
        let squares: f64 = TEMPERATURES.iter().map(|temperature| temperature * temperature).sum();
        Some(self.weight * squares / self.ce)
    }

    fn lighter(&self, _classes: usize) -> Option<String> {
        softened::lighter("weight")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, value};

    #[test]
    fn the_sums_are_those_of_the_released_code() {
        let mlkd = MlkdOneView { weight: 0.9, ce: 0.1, standardize: false };
        assert_near(&mlkd.terms(&batch()).map(value), &[0.915254, 0.010393, 0.004308]);
    }
}
