//! What objectives on features have in common.

use super::{interface::Batch, softened};
use crate::kind::{Field, Scalar};
use burn::tensor::{Tensor, module::adaptive_avg_pool2d};

/// Squares of lengths below it count as it: a square root has no gradient at 0.
pub(super) const TINY: f32 = 1e-24;

/// The field that weighs the features' term.
pub(super) const fn weight(default: f64, doc: &'static str) -> Field {
    Field::from_0("weight", "a weight of 0 or more", doc).or(Scalar::Number(default))
}

/// The field of objectives that can prepare a student before it learns classes.
pub(super) const FIRST: Field = Field::whole(
    "first",
    0,
    1_000_000,
    "epochs at the start in which the student learns features alone, and no classes",
)
.or(Scalar::Whole(0));

/// `ce` · cross entropy + `term`, but `term` alone in the `first` epochs.
pub(super) fn after(first: usize, ce: f64, batch: Batch, term: Tensor<1>) -> Tensor<1> {
    if batch.epoch <= first { term } else { softened::with_labels(ce, batch, term) }
}

/// Each pair, the teacher's without gradient, and the larger pooled to the smaller's rows and columns
/// by its mean, as RepDistiller does.
pub(super) fn alike([student, teacher]: [Tensor<4>; 2]) -> [Tensor<4>; 2] {
    let teacher = teacher.detach();
    let ([_, _, height, width], [_, _, rows, columns]) = (student.dims(), teacher.dims());
    let (small, large) = ([rows.min(height), columns.min(width)], [rows, columns]);
    let pooled = |features: Tensor<4>, size: [usize; 2]| {
        if size == small { features } else { adaptive_avg_pool2d(features, small) }
    };
    [pooled(student, [height, width]), pooled(teacher, large)]
}

/// Each row over its Euclidean length.
pub(super) fn unit(rows: Tensor<2>) -> Tensor<2> {
    let length = (rows.clone() * rows.clone()).sum_dim(1).clamp_min(TINY).sqrt();
    rows / length
}

/// The square of the difference, summed.
pub(super) fn squared<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<1> {
    let difference = a - b;
    (difference.clone() * difference).sum()
}

/// The mean over all values of ½d² where |d| < 1, else |d| − ½ (PyTorch's `smooth_l1_loss`).
pub(super) fn smooth_l1<const D: usize>(difference: Tensor<D>) -> Tensor<1> {
    let length = difference.abs();
    // With c = min(|d|, 1) both are c·(|d| − ½c).
    let inner = length.clone().clamp_max(1.0);
    (inner.clone() * (length - inner * 0.5)).mean()
}
