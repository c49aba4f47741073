//! Hinton's knowledge distillation, as in the paper's equation 3.

use super::{
    cross_entropy::cross_entropy,
    interface::{Batch, Distillation},
    softened::{self, STANDARDIZE},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// (1−λ)·CE + λ·τ²·KL(softmax(teacher/τ) ‖ softmax(student/τ)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kd {
    /// τ, above 0: the softmax temperature of both teacher and student.
    pub temperature: f64,
    /// λ, in [0, 1]: the weight of the teacher against the labels.
    pub lambda: f64,
    /// Over what the KL divergence is averaged.
    pub reduction: Reduction,
    /// Whether the teacher's term sees standardised logits.
    pub standardize: bool,
}

impl Kd {
    /// The paper's objective, its divergence averaged over the batch.
    pub fn new(temperature: f64, lambda: f64) -> Self {
        Self { temperature, lambda, reduction: Reduction::Batchmean, standardize: false }
    }
}

/// How the KL divergences of a batch become one number; names and meaning are PyTorch's `kl_div`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduction {
    /// Summed over the classes, averaged over the batch: the divergence of the formula.
    Batchmean,
    /// Averaged over batch and classes, as the authors' published code does: the divergence divided
    /// by the number of classes.
    Mean,
}

impl Reduction {
    /// What it divides the divergence of the formula by.
    pub(super) fn divisor(self, classes: usize) -> usize {
        match self {
            Self::Batchmean => 1,
            Self::Mean => classes,
        }
    }
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "kd",
    doc: "knowledge distillation: (1−λ)·CE + λ·τ²·KL(teacher ‖ student)",
    source: "Hinton et al. 2015; Mirzadeh et al. 2020, equation 3",
    fields: &[
        Field::above_0(
            "temperature",
            "a temperature above 0",
            "τ, the softmax temperature of teacher and student",
        ),
        Field::weight("lambda", "λ, the weight of the teacher against the labels"),
        Field::word(
            "reduction",
            &["batchmean", "mean"],
            "how the KL divergence is averaged: over the batch, or over batch and classes as the \
             authors' code does",
        )
        .or(Scalar::Word("batchmean")),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Kd>(fields))),
};

impl From<Kd> for Choice<dyn Distillation> {
    fn from(kd: Kd) -> Self {
        KIND.with(&kd)
    }
}

impl Distillation for Kd {
    /// A term whose weight is 0 is not computed.
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let Self { temperature, lambda, reduction, standardize } = *self;
        if lambda == 0.0 {
            return cross_entropy(batch.student, batch.labels);
        }
        let [images, classes] = batch.student.dims();
        let divisor = reduction.divisor(classes);
        let weight = lambda / divisor as f64;
        let fused = || softened::fused(&batch, 1.0 - lambda, [&batch.teacher], weight, temperature);
        if let Some(loss) = (!standardize).then(fused).flatten() {
            return loss;
        }
        let [student, teacher] = softened::logits(&batch, standardize);
        let Batch { student: given, labels, .. } = batch;
        let count = (images * divisor) as f64;
        let kl = softened::kl_sum(student, teacher, temperature) / count;
        let soft = kl * (lambda * temperature * temperature);
        if lambda == 1.0 {
            return soft;
        }
        cross_entropy(given, labels) * (1.0 - lambda) + soft
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }

    /// λτ²/(1−λ), divided by the classes for [`Reduction::Mean`].
    fn teacher_weight(&self, classes: usize) -> Option<f64> {
        let divisor = self.reduction.divisor(classes) as f64;
        Some(self.lambda * self.temperature * self.temperature / divisor / (1.0 - self.lambda))
    }

    fn lighter(&self, classes: usize) -> Option<String> {
        (self.reduction == Reduction::Batchmean).then(|| {
            format!(
                "a lower rate, a smaller lambda or `reduction = \"mean\"`, which divides it by the \
                 {classes} classes, lets it train"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, first, loss_and_gradient, of};

    #[test]
    fn standardised_logits_are_those_of_the_released_code() {
        let kd = Kd { standardize: true, ..Kd::new(2.0, 1.0) };
        let (loss, gradient) = loss_and_gradient(&kd);
        assert_near(&[loss], &[0.041181]);
        // Neither scale nor shift of the student's logits changes it.
        let student = (batch().student * 3.0 + 7.0).detach().require_grad();
        let scaled = Batch { student, ..batch() };
        assert_near(&[of(&kd, scaled).0], &[0.041181]);
        assert!(gradient.iter().any(|value| value.abs() > 1e-3), "{gradient:?}");
    }

    #[test]
    fn logits_that_are_all_alike_have_no_gradient_that_is_nan() {
        let kd = Kd { standardize: true, ..Kd::new(2.0, 1.0) };
        let student = (first(1).student * 0.0).detach().require_grad();
        let (loss, gradient) = of(&kd, Batch { student, ..first(1) });
        assert!(loss.is_finite() && gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
    }
}
