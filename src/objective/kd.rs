//! Hinton's knowledge distillation, as in the paper's equation 3.

use super::{
    cross_entropy::cross_entropy,
    interface::{Batch, Distillation},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::{Tensor, activation::log_softmax};
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
        let Batch { student, teacher, labels } = batch;
        let Self { temperature, lambda, reduction } = *self;
        if lambda == 0.0 {
            return cross_entropy(student, labels);
        }
        let [batch, classes] = student.dims();
        let count = match reduction {
            Reduction::Batchmean => batch,
            Reduction::Mean => batch * classes,
        };
        let log_p = log_softmax(teacher / temperature, 1).detach();
        let log_q = log_softmax(student.clone() / temperature, 1);
        let kl = (log_p.clone().exp() * (log_p - log_q)).sum() / count as f64;
        let soft = kl * (lambda * temperature * temperature);
        if lambda == 1.0 {
            return soft;
        }
        cross_entropy(student, labels) * (1.0 - lambda) + soft
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }

    /// λτ²/(1−λ), divided by the classes for [`Reduction::Mean`].
    fn teacher_weight(&self, classes: usize) -> Option<f64> {
        let divisor = match self.reduction {
            Reduction::Batchmean => 1.0,
            Reduction::Mean => classes as f64,
        };
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
