//! Weighted soft labels.

use super::{
    interface::{Batch, Distillation},
    softened::{self, CE, STANDARDIZE, at_label, mean_over_batch, pick},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{
    Tensor,
    activation::{log_softmax, softmax},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + α·τ²·mean of w·CE(teacher/τ, student/τ), where w = 1 − exp(−CE_student/CE_teacher) at the
/// labels: images that the student knows as well as the teacher weigh less.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wsld {
    /// τ, above 0.
    pub temperature: f64,
    /// α, the weight of the soft labels.
    pub alpha: f64,
    /// Weight of the cross entropy.
    pub ce: f64,
    /// Whether the teacher's terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "wsld",
    doc: "weighted soft labels: ce·CE + α·τ²·w·CE(teacher/τ, student/τ), w = 1 − exp(−CE_s/CE_t)",
    source: "Zhou et al. 2021; WSLD 67820dd, knowledge_distiller.py",
    fields: &[
        Field::above_0("temperature", "a temperature above 0", "τ of the soft labels")
            .or(Scalar::Number(2.0)),
        Field::from_0("alpha", "a weight of 0 or more", "α, the weight of the soft labels")
            .or(Scalar::Number(2.5)),
        CE.or(Scalar::Number(1.0)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Wsld>(fields))),
};

impl From<Wsld> for Choice<dyn Distillation> {
    fn from(wsld: Wsld) -> Self {
        KIND.with(&wsld)
    }
}

impl Wsld {
    /// w of each image, `[batch, 1]`, and its soft cross entropy, `[batch, 1]`. No gradient flows into w.
    fn terms(&self, batch: &Batch) -> [Tensor<2>; 2] {
        let [student, teacher] = softened::logits(batch, self.standardize);
        let label = at_label(&batch.labels, student.dims()[1]);
        let hard = |logits: &Tensor<2>| pick(log_softmax(logits.clone(), 1), &label).neg().detach();
        let ratio = hard(&student) / (hard(&teacher) + 1e-7);
        let weights = ratio.clamp_min(0.0).neg().exp().neg() + 1.0;
        let p = softmax(teacher / self.temperature, 1);
        let log_q = log_softmax(student / self.temperature, 1);
        [weights, (p * log_q).sum_dim(1).neg()]
    }
}

impl Distillation for Wsld {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [weights, soft] = self.terms(&batch);
        let scale = self.alpha * self.temperature * self.temperature;
        let soft = mean_over_batch(weights * soft) * scale;
        softened::with_labels(self.ce, batch, soft)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }

    /// ατ²/ce, of images that the student does not know yet.
    fn teacher_weight(&self, _classes: usize) -> Option<f64> {
        Some(self.alpha * self.temperature * self.temperature / self.ce)
    }

    fn lighter(&self, _classes: usize) -> Option<String> {
        softened::lighter("alpha")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, loss_and_gradient, value};

    #[test]
    fn weights_and_loss_are_those_of_the_released_code() {
        let wsld = Wsld { temperature: 2.0, alpha: 1.0, ce: 0.0, standardize: false };
        let [weights, _] = wsld.terms(&batch());
        let weights =
            [0, 1].map(|row| value(weights.clone().slice([row..row + 1, 0..1]).reshape([1])));
        assert_near(&weights, &[0.832812, 0.620970]);
        assert_near(&[loss_and_gradient(&wsld).0], &[3.732418]);
    }
}
