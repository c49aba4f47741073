//! Similarity-preserving distillation.

use super::{
    features::{squared, unit, weight},
    interface::{Batch, Distillation},
    needs::Needs,
    softened::{CE, with_labels},
};
use crate::{
    kernels,
    kind::{Choice, Kind, Scalar},
    tap::{Tapped, stages},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + weight·‖G(S) − G(T)‖²/B², G the products FFᵀ of the images' features at the last stage, each
/// row over its Euclidean length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sp {
    /// What the difference is multiplied by.
    pub weight: f64,
    /// What the cross entropy is multiplied by.
    pub ce: f64,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "sp",
    doc: "similarity-preserving distillation: CE + 3000·the squared difference of the images' similarities \
          in a batch, over its square",
    source: "Tung & Mori 2019; RepDistiller b84f547, distiller_zoo/SP.py",
    fields: &[
        weight(3000.0, "the weight of the similarities' difference"),
        CE.or(Scalar::Number(1.0)),
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Sp>(fields))),
};

impl From<Sp> for Choice<dyn Distillation> {
    fn from(sp: Sp) -> Self {
        KIND.with(&sp)
    }
}

impl Distillation for Sp {
    /// The last stage of each: their sizes may differ.
    fn needs(&self, student: &[Tapped], teacher: &[Tapped]) -> Result<Needs, String> {
        match (stages(student).last(), stages(teacher).last()) {
            (Some(ours), Some(theirs)) => Ok(Needs::features(vec![[ours, theirs]])),
            _ => Err("it compares images at the end of the last stage, and there is none".into()),
        }
    }

    fn compares_images(&self) -> bool {
        true
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let similarity = |features: Tensor<4>| {
            let rows: Tensor<2> = features.flatten(1, 3);
            unit(kernels::matmul_nt(rows.clone(), rows))
        };
        let [student, teacher] = batch.given.pairs[0].clone();
        let images = student.dims()[0] as f64;
        let difference = squared(similarity(student), similarity(teacher.detach()));
        let term = difference * (self.weight / images / images);
        with_labels(self.ce, batch, term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, features, of_features};

    #[test]
    fn the_golden_value() {
        let sp = Sp { weight: 1.0, ce: 0.0 };
        assert_near(&[of_features(&sp, vec![features()], Vec::new()).0], &[0.108583]);
    }
}
