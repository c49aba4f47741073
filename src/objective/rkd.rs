//! Relational knowledge distillation.

use super::{
    features::{TINY, smooth_l1},
    interface::{Batch, Distillation},
    needs::Needs,
    softened::{CE, with_labels},
};
use crate::{
    kernels,
    kind::{Choice, Field, Kind, Scalar},
    tap::{Tap, Tapped, find},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + distance·L1(d(S), d(T)) + angle·L1(∠(S), ∠(T)), smooth L1: d the distances between the
/// pooled outputs of a batch's images over their mean, ∠ the cosines of the angles between three.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rkd {
    /// What the distances' difference is multiplied by.
    pub distance: f64,
    /// What the angles' is.
    pub angle: f64,
    /// What the cross entropy is multiplied by.
    pub ce: f64,
}

const WANT: &str = "a weight of 0 or more";

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "rkd",
    doc: "relational distillation: CE + 25·distances + 50·angles between the images of a batch",
    source: "Park et al. 2019; RepDistiller b84f547, distiller_zoo/RKD.py",
    fields: &[
        Field::from_0("distance", WANT, "the weight of the distances' difference")
            .or(Scalar::Number(25.0)),
        Field::from_0("angle", WANT, "the weight of the angles' difference, B³ of them")
            .or(Scalar::Number(50.0)),
        CE.or(Scalar::Number(1.0)),
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Rkd>(fields))),
};

impl From<Rkd> for Choice<dyn Distillation> {
    fn from(rkd: Rkd) -> Self {
        KIND.with(&rkd)
    }
}

impl Distillation for Rkd {
    fn needs(&self, student: &[Tapped], teacher: &[Tapped]) -> Result<Needs, String> {
        let ours = find(student, Tap::Pooled).map_err(|what| format!("the student {what}"))?;
        let theirs = find(teacher, Tap::Pooled).map_err(|what| format!("the teacher {what}"))?;
        Ok(Needs::features(vec![[ours, theirs]]))
    }

    fn compares_images(&self) -> bool {
        true
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let Self { distance, angle, ce } = *self;
        let [student, teacher] = batch.given.pairs[0].clone();
        let [student, teacher] = [student, teacher.detach()].map(|pair| pair.flatten::<2>(1, 3));
        let mut term = Tensor::zeros([1], &student.device());
        if distance > 0.0 {
            let difference = distances(student.clone()) - distances(teacher.clone());
            term = term + smooth_l1(difference) * distance;
        }
        if angle > 0.0 {
            term = term + smooth_l1(angles(student) - angles(teacher)) * angle;
        }
        with_labels(ce, batch, term)
    }
}

/// Distances `[batch, batch]` between rows, over the mean of those between two different ones; 0 on the
/// diagonal.
fn distances(rows: Tensor<2>) -> Tensor<2> {
    let images = rows.dims()[0];
    let squares = (rows.clone() * rows.clone()).sum_dim(1);
    let products = kernels::matmul_nt(rows.clone(), rows);
    let squares = squares.clone() + squares.transpose() - products * 2.0;
    let others = Tensor::<2>::eye(images, &squares.device()) * -1.0 + 1.0;
    // RepDistiller's ε is that of squares.
    let distances = squares.clamp_min(1e-12).sqrt() * others;
    let mean = distances.clone().sum() / (images * images.saturating_sub(1)).max(1) as f64;
    distances / mean.unsqueeze()
}

/// Rows whose squared distance is below this share of their squared lengths are alike: what is left of
/// their difference is rounding.
const ALIKE: f64 = 1e-6;

/// The cosine `[i, j, k]` of the angle at row i between rows j and k; 0 where one of them is as row i.
///
/// From the products of rows, (e_j − e_i)·(e_k − e_i) = e_j·e_k − e_i·e_j − e_i·e_k + e_i·e_i: B³ numbers,
/// where differences would be B² rows. Rows are taken from their mean, which changes no angle and keeps
/// the digits.
fn angles(rows: Tensor<2>) -> Tensor<3> {
    let rows = rows.clone() - rows.mean_dim(0);
    let squares = (rows.clone() * rows.clone()).sum_dim(1); // [B, 1]
    let products = kernels::matmul_nt(rows.clone(), rows); // [B, B]
    let both = squares.clone() + squares.clone().transpose();
    let apart = both.clone() - products.clone() * 2.0;
    let differ = apart.clone().detach().greater(both.detach() * ALIKE).float();
    let inverse = differ / apart.clamp_min(TINY).sqrt();
    let corner = squares.unsqueeze_dim::<3>(2); // e_i·e_i
    let [near, far] = [2, 1].map(|dim| products.clone().unsqueeze_dim::<3>(dim)); // e_i·e_j, e_i·e_k
    let between = products.unsqueeze_dim::<3>(0) - near - far + corner;
    between * inverse.clone().unsqueeze_dim::<3>(2) * inverse.unsqueeze_dim::<3>(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, of_features};
    use burn::tensor::Device;

    fn rows(values: &[f32]) -> Tensor<4> {
        let rows = Tensor::<1>::from_floats(values, &Device::flex().autodiff());
        rows.reshape([3, values.len() / 3, 1, 1])
    }

    fn pair() -> [Tensor<4>; 2] {
        [
            rows(&[0.0, 0.0, 1.0, 0.0, 0.0, 2.0]),
            rows(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 2.0]),
        ]
    }

    #[test]
    fn the_golden_values() {
        for (distance, angle, expected) in [(1.0, 0.0, 0.004658), (0.0, 1.0, 0.004669)] {
            let rkd = Rkd { distance, angle, ce: 0.0 };
            assert_near(&[of_features(&rkd, vec![pair()], Vec::new()).0], &[expected]);
        }
    }

    #[test]
    fn images_that_are_alike_have_a_gradient() {
        let same = [rows(&[1.0; 6]), rows(&[2.0; 6])];
        let rkd = Rkd { distance: 25.0, angle: 50.0, ce: 0.0 };
        let (loss, gradient) = of_features(&rkd, vec![same], Vec::new());
        assert!(loss.is_finite() && gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
    }
}
