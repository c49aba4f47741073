//! The logits with which golden values were computed, in double precision, by code that was written
//! for that alone.

use super::{Batch, Distillation, Given};
use burn::tensor::{Device, Int, Tensor};

const STUDENT: [[f32; 4]; 3] =
    [[1.0, 0.5, 0.0, -0.5], [1.0, 1.5, 0.0, 0.5], [0.0, -0.5, 1.5, 0.25]];
const TEACHER: [[f32; 4]; 3] =
    [[2.0, 1.0, 0.0, -1.0], [0.5, 2.5, -0.5, 1.0], [-1.0, 0.0, 2.0, 0.5]];

/// Two images.
pub(super) fn batch() -> Batch {
    first(2)
}

/// Up to three images.
pub(super) fn first(count: usize) -> Batch {
    let device = Device::flex().autodiff();
    let rows = |rows: &[[f32; 4]; 3]| {
        let all = Tensor::<1>::from_floats(rows[..count].concat().as_slice(), &device);
        all.reshape([count, 4])
    };
    Batch {
        student: rows(&STUDENT).require_grad(),
        teacher: rows(&TEACHER),
        teachers: vec![rows(&TEACHER)],
        labels: Tensor::<1, Int>::from_ints(&[0, 3, 2][..count], &device),
        given: Given::default(),
        epoch: 1,
        step: 0,
        seed: 1,
    }
}

/// Another teacher's logits of two images.
pub(super) fn second_teacher() -> Tensor<2> {
    let rows = [[1.5, 0.0, 0.5, -1.0], [0.0, 2.0, 0.0, 1.5]];
    Tensor::from_floats(rows, &Device::flex().autodiff())
}

pub(super) fn value(loss: Tensor<1>) -> f32 {
    values(loss)[0]
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().expect("f32 elements")
}

/// The loss of [`batch`], and its gradient by the student's logits.
pub(super) fn loss_and_gradient(objective: &dyn Distillation) -> (f32, Vec<f32>) {
    of(objective, batch())
}

/// The loss of a batch, and its gradient by the student's logits.
pub(super) fn of(objective: &dyn Distillation, batch: Batch) -> (f32, Vec<f32>) {
    let student = batch.student.clone();
    let loss = objective.loss(batch);
    let gradient = student.grad(&loss.backward()).expect("the student learns");
    (value(loss), values(gradient))
}

/// Equal to six digits after the point, which is what golden values have.
#[track_caller]
pub(super) fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let near =
        |(found, expected): (&f32, &f32)| (found - expected).abs() < 3e-6 * expected.abs().max(1.0);
    assert!(found.iter().zip(expected).all(near), "{found:?} is not {expected:?}");
}

/// Features of two images, `[2, 2, 2, 2]` of the student and `[2, 3, 2, 2]` of the teacher.
pub(super) fn features() -> [Tensor<4>; 2] {
    let device = Device::flex().autodiff();
    let student: Vec<f32> = (0..16).map(|value| value as f32 / 10.0).collect();
    let teacher: Vec<f32> = (0..24).map(|value| (value % 7) as f32 / 5.0).collect();
    [(student, 2), (teacher, 3)].map(|(values, channels)| {
        Tensor::<1>::from_floats(values.as_slice(), &device).reshape([2, channels, 2, 2])
    })
}

/// The loss of [`batch`] with these features, and its gradient by the student's.
pub(super) fn of_features(
    objective: &dyn Distillation,
    pairs: Vec<[Tensor<4>; 2]>,
    learned: Vec<Tensor<1>>,
) -> (f32, Vec<f32>) {
    let pairs: Vec<_> =
        pairs.into_iter().map(|[student, teacher]| [student.require_grad(), teacher]).collect();
    let first = pairs[0][0].clone();
    let given = Given { pairs, learned, ..Given::default() };
    let loss = objective.loss(Batch { given, ..batch() });
    let gradient = first.grad(&loss.backward()).expect("the student learns");
    (value(loss), values(gradient))
}
