//! The flow of the solution procedure.

use super::{
    features::{FIRST, after, squared, weight},
    interface::{Batch, Distillation},
    needs::Needs,
    softened::CE,
};
use crate::{
    kernels,
    kind::{Choice, Kind, Scalar},
    tap::{Tap, Tapped},
};
use burn::tensor::{Tensor, module::adaptive_avg_pool2d};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + weight·Σ of mean((G(S) − G(T))²), G the products F₁F₂ᵀ/HW of the channels at one tap with
/// those at the next, from the stem to the last stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fsp {
    /// What the sum is multiplied by.
    pub weight: f64,
    /// What the cross entropy is multiplied by.
    pub ce: f64,
    /// Epochs without cross entropy.
    pub first: usize,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "fsp",
    doc: "flow of the solution procedure: CE + 50·Σ of the mean squared difference of the products of \
          channels at one tap with those at the next; networks of equal widths",
    source: "Yim et al. 2017; RepDistiller b84f547, distiller_zoo/FSP.py",
    fields: &[
        weight(50.0, "the weight of the flows' difference"),
        CE.or(Scalar::Number(1.0)),
        FIRST,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Fsp>(fields))),
};

impl From<Fsp> for Choice<dyn Distillation> {
    fn from(fsp: Fsp) -> Self {
        KIND.with(&fsp)
    }
}

impl Distillation for Fsp {
    fn needs(&self, student: &[Tapped], teacher: &[Tapped]) -> Result<Needs, String> {
        let images = |taps: &[Tapped]| -> Vec<Tapped> {
            taps.iter().copied().filter(|tapped| tapped.tap != Tap::Pooled).collect()
        };
        let (ours, theirs) = (images(student), images(teacher));
        let shape = |taps: &[Tapped]| {
            let each =
                taps.iter().map(|tapped| format!("{} {}", tapped.tap, tapped.shape.channels));
            each.collect::<Vec<_>>().join(", ")
        };
        let alike = |(ours, theirs): (&Tapped, &Tapped)| {
            ours.tap == theirs.tap && ours.shape.channels == theirs.shape.channels
        };
        if ours.len() != theirs.len() || !ours.iter().zip(&theirs).all(alike) {
            return Err(format!(
                "fsp compares products of channels, so both networks need the same channels at each tap: \
                 the student has {}, the teacher {}",
                shape(&ours),
                shape(&theirs)
            ));
        }
        if ours.len() < 2 {
            return Err("fsp goes from one tap to the next, and there are not two".to_owned());
        }
        Ok(Needs::features(ours.into_iter().zip(theirs).map(<[Tapped; 2]>::from).collect()))
    }

    fn teaches_classes(&self, epoch: usize) -> bool {
        epoch > self.first
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let terms = batch.given.pairs.windows(2).map(|pairs| {
            let side = |side: usize| [&pairs[0], &pairs[1]].map(|pair| pair[side].clone());
            let (student, teacher) = (flow(side(0)), flow(side(1).map(Tensor::detach)));
            let values = student.dims().iter().product::<usize>() as f64;
            squared(student, teacher) / values
        });
        let sum = terms.reduce(|sum, term| sum + term).expect("there are two taps");
        after(self.first, self.ce, batch, sum * self.weight)
    }
}

/// `[batch, above, below]`: the mean over pixels of the products of two taps' channels, the larger
/// pooled to the smaller's size by its mean.
fn flow([below, above]: [Tensor<4>; 2]) -> Tensor<3> {
    let size = |features: &Tensor<4>| [features.dims()[2], features.dims()[3]];
    let (low, high) = (size(&below), size(&above));
    let small = [low[0].min(high[0]), low[1].min(high[1])];
    let rows = |features: Tensor<4>, size: [usize; 2]| -> Tensor<3> {
        let pooled = if size == small { features } else { adaptive_avg_pool2d(features, small) };
        pooled.flatten(2, 3)
    };
    let (below, above) = (rows(below, low), rows(above, high));
    kernels::matmul_nt(above, below) / (small[0] * small[1]) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, features, of_features};

    #[test]
    fn the_golden_value() {
        let [student, teacher] = features();
        let above = student.clone().flip([1]) * 0.5 + 0.1;
        let (low, high) = (teacher.clone().narrow(1, 0, 2), teacher.narrow(1, 1, 2) * 0.5);
        let fsp = Fsp { weight: 1.0, ce: 0.0, first: 0 };
        let pairs = vec![[student, low], [above, high]];
        assert_near(&[of_features(&fsp, pairs, Vec::new()).0], &[0.195469]);
    }

    #[test]
    fn a_larger_tap_is_pooled() {
        let [student, _] = features();
        let small = student.clone().narrow(2, 0, 1).narrow(3, 0, 1);
        assert_eq!(flow([student, small]).dims(), [2, 2, 2]);
    }
}
