//! What objectives on logits have in common.

use super::{cross_entropy::cross_entropy, interface::Batch};
use crate::{
    kernels::{Weights, soft_loss},
    kind::{Field, Scalar},
};
use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Squares below it are 0 in divisions: a square root has no gradient there.
const TINY: f32 = 1e-30;

/// Added to a logit it leaves its class out of a softmax (`mdistiller/distillers/DKD.py`).
const LEFT_OUT: f64 = -1000.0;

/// The field of objectives whose teacher's terms can see standardised logits.
pub(super) const STANDARDIZE: Field = Field::flag(
    "standardize",
    "whether the teacher's terms see logits less their mean, over their standard deviation (Sun et \
     al. 2024)",
)
.or(Scalar::Flag(false));

/// The field that weighs the labels.
pub(super) const CE: Field =
    Field::from_0("ce", "a weight of 0 or more", "the weight of the cross entropy with the labels");

/// Student's and teacher's logits for the teacher's terms, `[batch, classes]`; no gradient flows into
/// the teacher.
pub(super) fn logits(batch: &Batch, standardize: bool) -> [Tensor<2>; 2] {
    let both = [batch.student.clone(), batch.teacher.clone().detach()];
    if standardize { both.map(standardized) } else { both }
}

/// Each row less its mean, over its sample standard deviation + 10⁻⁷ (Sun et al. 2024, Logit
/// standardization in knowledge distillation; `logit-standardization-KD`, `distillers/KD.py`).
pub(super) fn standardized(logits: Tensor<2>) -> Tensor<2> {
    let classes = logits.dims()[1];
    let centred = logits.clone() - logits.mean_dim(1);
    let squares = (centred.clone() * centred.clone()).sum_dim(1);
    let deviation = (squares / (classes.max(2) - 1) as f64).clamp_min(TINY).sqrt();
    centred / (deviation + 1e-7)
}

/// `ce` · cross entropy + `soft`; no cross entropy if its weight is 0.
pub(super) fn with_labels(ce: f64, batch: Batch, soft: Tensor<1>) -> Tensor<1> {
    if ce == 0.0 { soft } else { cross_entropy(batch.student, batch.labels) * ce + soft }
}

/// `ce` · cross entropy + the sum over `teachers` of `weight` · [`kl`], a kernel for each of them. None on the CPU,
/// which makes it of several operations, and without teachers.
pub(super) fn fused<'a>(
    batch: &Batch,
    ce: f64,
    teachers: impl IntoIterator<Item = &'a Tensor<2>>,
    weight: f64,
    temperature: f64,
) -> Option<Tensor<1>> {
    let images = batch.student.dims()[0] as f64;
    let teacher = weight * temperature * temperature / images;
    let term = |(at, other): (usize, &'a Tensor<2>)| {
        // The labels count once.
        let labels = if at == 0 { ce / images } else { 0.0 };
        let weights = Weights { labels, teacher, temperature };
        soft_loss(&batch.student, &batch.labels, Some(other), weights)
    };
    let terms = teachers.into_iter().enumerate().map(term);
    terms.reduce(|sum, term| Some(sum? + term?)).flatten()
}

/// τ² · KL(softmax(teacher/τ) ‖ softmax(student/τ)), summed over classes, averaged over the batch.
pub(super) fn kl(student: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
    let batch = student.dims()[0];
    kl_sum(student, teacher, temperature) / batch as f64 * (temperature * temperature)
}

/// KL(softmax(teacher/τ) ‖ softmax(student/τ)), summed over classes and batch.
pub(super) fn kl_sum(student: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
    let log_p = log_softmax(teacher / temperature, 1);
    let log_q = log_softmax(student / temperature, 1);
    (log_p.clone().exp() * (log_p - log_q)).sum()
}

/// What lets a training live whose teacher's term weighs too much, by the field that weighs it.
pub(super) fn lighter(field: &str) -> Option<String> {
    Some(format!("a lower rate or a smaller `{field}` lets it train"))
}

/// The sum over the classes, averaged over the batch.
pub(super) fn mean_over_batch(rows: Tensor<2>) -> Tensor<1> {
    let batch = rows.dims()[0];
    rows.sum() / batch as f64
}

/// 1 at each image's label and 0 elsewhere, `[batch, classes]`.
pub(super) fn at_label(labels: &Tensor<1, Int>, classes: usize) -> Tensor<2> {
    let shape = [labels.dims()[0], classes];
    let all = Tensor::<1, Int>::arange(0..classes as i64, &labels.device());
    let all = all.unsqueeze_dim::<2>(0).expand(shape);
    all.equal(labels.clone().unsqueeze_dim::<2>(1).expand(shape)).float()
}

/// Logits of the wrong classes alone: the label's cannot win a softmax.
pub(super) fn wrong(logits: Tensor<2>, at_label: &Tensor<2>) -> Tensor<2> {
    logits + at_label.clone() * LEFT_OUT
}

/// The entries at the labels, `[batch, 1]`.
pub(super) fn pick(rows: Tensor<2>, at_label: &Tensor<2>) -> Tensor<2> {
    (rows * at_label.clone()).sum_dim(1)
}

/// Pearson's correlation of rows, `[rows, 1]`; 0 where one of the two is constant.
pub(super) fn correlation(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let centred = |rows: Tensor<2>| rows.clone() - rows.mean_dim(1);
    let length = |rows: Tensor<2>| (rows.clone() * rows).sum_dim(1).clamp_min(TINY).sqrt();
    let (a, b) = (centred(a), centred(b));
    (a.clone() * b.clone()).sum_dim(1) / (length(a) * length(b) + 1e-8)
}
