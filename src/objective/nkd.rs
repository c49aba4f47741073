//! Normalised knowledge distillation.

use super::{
    interface::{Batch, Distillation},
    softened::{self, CE, STANDARDIZE, at_label, mean_over_batch, pick, wrong},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{
    Tensor,
    activation::{log_softmax, softmax},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE − mean of p_y·ln q_y + γ·τ²·cross entropy between the softmaxes over the wrong classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nkd {
    /// τ of the wrong classes' softmaxes, above 0.
    pub temperature: f64,
    /// γ, the weight of the wrong classes.
    pub gamma: f64,
    /// Weight of the cross entropy.
    pub ce: f64,
    /// Whether the teacher's terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "nkd",
    doc: "normalised distillation: ce·CE − p_y·ln q_y + γ·τ²·CE between the wrong classes' softmaxes",
    source: "Yang et al. 2023; cls_KD 1e5d48f, dis_losses/nkd.py",
    fields: &[
        Field::above_0("temperature", "a temperature above 0", "τ of the wrong classes' softmaxes")
            .or(Scalar::Number(1.0)),
        Field::from_0("gamma", "a weight of 0 or more", "γ, the weight of the wrong classes")
            .or(Scalar::Number(1.5)),
        CE.or(Scalar::Number(1.0)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Nkd>(fields))),
};

impl From<Nkd> for Choice<dyn Distillation> {
    fn from(nkd: Nkd) -> Self {
        KIND.with(&nkd)
    }
}

impl Nkd {
    /// The label's term, and that of the wrong classes times γ·τ².
    fn terms(&self, batch: &Batch) -> [Tensor<1>; 2] {
        let [student, teacher] = softened::logits(batch, self.standardize);
        let label = at_label(&batch.labels, student.dims()[1]);
        let p = pick(softmax(teacher.clone(), 1), &label);
        let log_q = pick(log_softmax(student.clone(), 1), &label);
        let others = |logits: Tensor<2>| log_softmax(wrong(logits / self.temperature, &label), 1);
        let (p_wrong, q_wrong) = (others(teacher).exp(), others(student));
        let scale = -self.gamma * self.temperature * self.temperature;
        [mean_over_batch(p * log_q).neg(), mean_over_batch(p_wrong * q_wrong) * scale]
    }
}

impl Distillation for Nkd {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [label, others] = self.terms(&batch);
        softened::with_labels(self.ce, batch, label + others)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, value};

    #[test]
    fn the_parts_are_those_of_the_released_code() {
        let nkd = Nkd { temperature: 1.0, gamma: 1.5, ce: 0.0, standardize: false };
        assert_near(&nkd.terms(&batch()).map(value), &[0.395086, 1.212681]);
    }
}
