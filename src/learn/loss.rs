//! Losses on logits `[batch, classes]`.

use crate::config::{Kd, Reduction};
use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Mean over the batch of −log p, p the softmax of the logits at the label; `labels` has shape `[batch]`.
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).mean().neg()
}

/// The paper's equation 3, (1−λ)·CE + λ·τ²·KL(softmax(teacher/τ) ‖ softmax(student/τ)), with the KL
/// reduced as `kd` says.
///
/// `student` and `teacher` have shape `[batch, classes]`, `labels` `[batch]`; no gradient flows
/// into the teacher. A term whose weight is 0 is not computed.
pub fn distillation(
    student: Tensor<2>,
    teacher: Tensor<2>,
    labels: Tensor<1, Int>,
    kd: Kd,
) -> Tensor<1> {
    let Kd { temperature, lambda, reduction } = kd;
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
