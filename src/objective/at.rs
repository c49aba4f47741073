//! Attention transfer.

use super::{
    features::{alike, squared, unit, weight},
    interface::{Batch, Distillation},
    needs::Needs,
    softened::{CE, with_labels},
};
use crate::{
    kind::{Choice, Kind, Scalar},
    tap::{Tapped, stages},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + weight·Σ over stages of mean((a(S) − a(T))²), a the mean over channels of the squared
/// features, over its Euclidean length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct At {
    /// What the sum is multiplied by.
    pub weight: f64,
    /// What the cross entropy is multiplied by.
    pub ce: f64,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "at",
    doc: "attention transfer: CE + 1000·Σ over stages of the mean squared difference of attention maps",
    source: "Zagoruyko & Komodakis 2017; RepDistiller b84f547, distiller_zoo/AT.py",
    fields: &[
        weight(1000.0, "the weight of the attention maps' difference"),
        CE.or(Scalar::Number(1.0)),
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<At>(fields))),
};

impl From<At> for Choice<dyn Distillation> {
    fn from(at: At) -> Self {
        KIND.with(&at)
    }
}

impl Distillation for At {
    /// The stages that both have, from the first one on.
    fn needs(&self, student: &[Tapped], teacher: &[Tapped]) -> Result<Needs, String> {
        let pairs: Vec<_> =
            stages(student).zip(stages(teacher)).map(|(ours, theirs)| [ours, theirs]).collect();
        if pairs.is_empty() {
            return Err("attention transfer compares the ends of stages, and there are none".into());
        }
        Ok(Needs::features(pairs))
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let attention = |features: Tensor<4>| {
            let squares: Tensor<4> = features.clone() * features;
            unit(squares.mean_dim(1).flatten::<2>(1, 3))
        };
        let difference = |pair: &[Tensor<4>; 2]| {
            let [student, teacher] = alike(pair.clone()).map(attention);
            let values = student.dims().iter().product::<usize>() as f64;
            squared(student, teacher) / values
        };
        let sum = batch.given.pairs.iter().map(difference).reduce(|sum, term| sum + term);
        let sum = sum.expect("there is a stage, or nothing is trained");
        with_labels(self.ce, batch, sum * self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, features, of_features};

    #[test]
    fn the_golden_value() {
        let at = At { weight: 1.0, ce: 0.0 };
        assert_near(&[of_features(&at, vec![features()], Vec::new()).0], &[0.068085]);
        let twice = vec![features(), features()];
        assert_near(&[of_features(&At { weight: 3.0, ..at }, twice, Vec::new()).0], &[0.40851]);
    }
}
