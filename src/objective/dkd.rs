//! Decoupled knowledge distillation.

use super::{
    interface::{Batch, Distillation},
    softened::{self, CE, STANDARDIZE, at_label, mean_over_batch, wrong},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{Tensor, activation::log_softmax};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + min(epoch/warm-up, 1)·τ²·(α·TCKD + β·NCKD): the divergence of label against rest, and that
/// among the wrong classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dkd {
    /// τ, above 0.
    pub temperature: f64,
    /// α, the weight of the target class's term (TCKD).
    pub alpha: f64,
    /// β, the weight of the other classes' term (NCKD).
    pub beta: f64,
    /// Epochs over which the teacher's terms rise to their weights.
    pub warmup: usize,
    /// Weight of the cross entropy.
    pub ce: f64,
    /// Whether the teacher's terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "dkd",
    doc: "decoupled distillation: ce·CE + min(epoch/warmup, 1)·τ²·(α·TCKD + β·NCKD)",
    source: "Zhao et al. 2022; mdistiller a08d46f, distillers/DKD.py",
    fields: &[
        Field::above_0("temperature", "a temperature above 0", "τ of the teacher's terms")
            .or(Scalar::Number(4.0)),
        Field::from_0(
            "alpha",
            "a weight of 0 or more",
            "α, the weight of the target class against the rest (TCKD)",
        )
        .or(Scalar::Number(1.0)),
        Field::from_0(
            "beta",
            "a weight of 0 or more",
            "β, the weight of the divergence among the wrong classes (NCKD)",
        )
        .or(Scalar::Number(8.0)),
        Field::whole(
            "warmup",
            0,
            1_000_000,
            "epochs over which the teacher's terms rise to their weights",
        )
        .or(Scalar::Whole(20)),
        CE.or(Scalar::Number(1.0)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Dkd>(fields))),
};

impl From<Dkd> for Choice<dyn Distillation> {
    fn from(dkd: Dkd) -> Self {
        KIND.with(&dkd)
    }
}

impl Dkd {
    /// TCKD and NCKD, each times τ².
    fn terms(&self, batch: &Batch) -> [Tensor<1>; 2] {
        let temperature = self.temperature;
        let [student, teacher] = softened::logits(batch, self.standardize);
        let classes = student.dims()[1];
        let mask = at_label(&batch.labels, classes);
        let label = batch.labels.clone().unsqueeze_dim::<2>(1);
        let some_other = (label.clone() + 1).remainder_scalar(classes as i32);
        // Logarithms of the label's probability, of the rest's, and of each wrong class among them. What
        // the two softmaxes of a wrong class differ by is the rest's, whichever class it is.
        let parts = |logits: Tensor<2>| {
            let logits = logits / temperature;
            let all = log_softmax(logits.clone(), 1);
            let wrong = log_softmax(wrong(logits, &mask), 1);
            let rest = (all.clone() - wrong.clone()).gather(1, some_other.clone());
            (all.gather(1, label.clone()), rest, wrong)
        };
        let (q_label, q_rest, q_wrong) = parts(student);
        let (p_label, p_rest, p_wrong) = parts(teacher);
        let kl = |p: Tensor<2>, q: Tensor<2>| p.clone().exp() * (p - q);
        let target = kl(p_label, q_label) + kl(p_rest, q_rest);
        [target, kl(p_wrong, q_wrong)]
            .map(|rows| mean_over_batch(rows) * (temperature * temperature))
    }
}

impl Distillation for Dkd {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let rise = (batch.epoch as f64 / self.warmup.max(1) as f64).min(1.0);
        let [target, others] = self.terms(&batch);
        let soft = target * (self.alpha * rise) + others * (self.beta * rise);
        softened::with_labels(self.ce, batch, soft)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }

    /// βτ²/ce, that of the wrong classes.
    fn teacher_weight(&self, _classes: usize) -> Option<f64> {
        Some(self.beta * self.temperature * self.temperature / self.ce)
    }

    fn lighter(&self, _classes: usize) -> Option<String> {
        softened::lighter("beta")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, loss_and_gradient, value};
    use crate::objective::softened::pick;
    use burn::tensor::activation::softmax;

    const DKD: Dkd =
        Dkd { temperature: 4.0, alpha: 1.0, beta: 8.0, warmup: 0, ce: 0.0, standardize: false };

    #[test]
    fn the_parts_are_those_of_the_released_code() {
        let [target, others] = DKD.terms(&batch());
        assert_near(&[value(target), value(others)], &[0.054343, 0.179714]);
        assert_near(&[loss_and_gradient(&DKD).0], &[1.492053]);
    }

    /// KD = the mean of τ²·(TCKD + (1−p_y)·NCKD), image by image (Zhao et al. 2022).
    #[test]
    fn with_the_teachers_doubt_as_beta_it_is_distillation() {
        let mut sum = 0.0;
        for image in 0..2 {
            let Batch { student, teacher, labels, .. } = batch();
            let row = |logits: Tensor<2>| logits.narrow(0, image, 1);
            let labels = labels.narrow(0, image, 1);
            let label = at_label(&labels, 4);
            let p = pick(softmax(row(teacher.clone()) / 4.0, 1), &label);
            let one = Batch { student: row(student), teacher: row(teacher), labels, ..batch() };
            let [target, others] = DKD.terms(&one).map(value);
            sum += target + (1.0 - value(p.reshape([1]))) * others;
        }
        let kd = value(softened::kl(batch().student, batch().teacher, 4.0));
        assert_near(&[kd, sum / 2.0], &[0.185269, 0.185269]);
    }

    #[test]
    fn the_teacher_comes_in_slowly() {
        let early = Dkd { warmup: 4, ..DKD };
        assert_near(&[loss_and_gradient(&early).0], &[1.492053 / 4.0]);
    }
}
