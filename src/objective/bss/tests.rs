use super::{
    attack::{Aim, aims, moved, target},
    *,
};
use crate::objective::golden::{batch, first};
use burn::tensor::{Device, Int};

const BSS: Bss = Bss { temperature: 3.0, epochs: 80, steps: 10, alpha: 0.3, images: 64 };

/// Three images `[1, 2, 2]`, and a teacher of three classes: Wx + (Vx)².
struct Mock;

fn rows<const R: usize, const C: usize>(values: [[f32; C]; R]) -> Tensor<2> {
    Tensor::from_floats(values, &Device::flex())
}

impl Networks for Mock {
    fn images(&self) -> Tensor<4> {
        rows([[1.0, 0.2, -0.4, 0.6], [-0.2, 1.1, 0.3, -0.5], [0.1, 0.4, 0.2, 0.8]])
            .reshape([3, 1, 2, 2])
    }

    fn teacher_gradient(&self, images: Tensor<4>, weights: Tensor<2>) -> (Tensor<2>, Tensor<4>) {
        let w = rows([[1.0, 0.5, -0.5, 0.2], [-0.3, 0.8, 0.1, -0.6], [0.4, -0.7, 0.9, 0.3]]);
        let v = rows([[0.2, -0.1, 0.3, 0.1], [0.1, 0.2, -0.2, 0.4], [-0.3, 0.1, 0.2, 0.2]]);
        let shape = images.dims();
        let x: Tensor<2> = images.flatten(1, 3);
        let squared = x.clone().matmul(v.clone().transpose());
        let logits = x.matmul(w.clone().transpose()) + squared.clone() * squared.clone();
        let gradient = weights.clone().matmul(w) + (weights * squared * 2.0).matmul(v);
        (logits, gradient.reshape(shape))
    }

    fn both(&mut self, _: Tensor<4>) -> [Tensor<2>; 2] {
        unreachable!("attacks ask the teacher alone")
    }
}

#[track_caller]
fn assert_moved(steps: usize, expected: [f32; 12]) {
    let aims = [(0, 0, 1), (1, 1, 2), (2, 0, 1)].map(|(image, from, to)| Aim { image, from, to });
    let moved = moved(&Bss { steps, ..BSS }, &Mock, &aims, 3);
    let moved = moved.into_data().try_into_vec_as::<f32>().unwrap();
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-6;
    assert!(moved.iter().zip(&expected).all(near), "{moved:?}");
}

/// Computed with PyTorch's gradients in 64 bits, by the released code's steps.
#[test]
fn attacks_go_where_the_released_code_goes() {
    assert_moved(
        1,
        [
            0.5482236, 0.3827249, -0.2762651, 0.4359793, -0.0153898, 0.6777844, 0.5410997,
            -0.2088168, -0.0034197, 0.4383156, 0.2308473, 0.7571384,
        ],
    );
    assert_moved(
        10,
        [
            0.0112499, 0.5664956, -0.0698174, 0.1963287, 0.0992984, 0.4128066, 0.6934873,
            -0.0255528, -0.1070472, 0.4752843, 0.2641793, 0.7122681,
        ],
    );
}

#[test]
fn an_image_that_has_crossed_stays() {
    // All have crossed after 17 steps: more change nothing.
    let all = [
        0.0091957, 0.5671129, -0.0689022, 0.1952927, 0.0993116, 0.4127758, 0.6935051, -0.0255315,
        -0.1070472, 0.4752843, 0.2641793, 0.7122681,
    ];
    assert_moved(50, all);
    assert_moved(200, all);
}

#[test]
fn weights_fall() {
    let at = |epoch| BSS.weights(epoch);
    assert_eq!(at(80), [1.0, 0.0]);
    assert_eq!(at(60), [1.75, 0.0]);
    assert_eq!(at(40)[0], 2.5);
    assert!((at(30)[1] - 1.0).abs() < 1e-12 && (at(1)[0] - 3.9625).abs() < 1e-12);
}

#[test]
fn targets_are_drawn_by_their_probabilities() {
    let row = [0.5, 0.1, 0.3, 0.1];
    // Of the others .3 comes first, then the two of .1 in their order.
    let drawn = [0.0, 0.59, 0.61, 0.79, 0.81, 0.999].map(|drawn| target(&row, 0, drawn));
    assert_eq!(drawn, [2, 2, 1, 1, 3, 3]);
}

#[test]
fn images_that_the_teacher_gets_right_are_attacked_where_the_student_differs_most() {
    // Of three images, the teacher gets the first and the third right.
    let seen = first(3).seen();
    let of = |images| aims(&Bss { images, ..BSS }, &seen);
    let (all, one) = (of(64), of(1));
    assert_eq!(all.iter().map(|aim| (aim.image, aim.from)).collect::<Vec<_>>(), [(0, 0), (2, 2)]);
    assert!(all.iter().all(|aim| aim.to != aim.from));
    // Wrong classes' squares: .0128 and .0026 of the first (p .644 .237 .087 .032; .455 .276 .167 .102).
    assert_eq!(one.iter().map(|aim| aim.image).collect::<Vec<_>>(), [0]);
    assert_eq!(aims(&BSS, &first(3).seen()), all, "it is drawn alike again");
}

#[test]
fn without_a_right_image_there_is_no_attack() {
    let mut seen = batch().seen();
    seen.labels = Tensor::<1, Int>::from_ints([3, 3], &Device::flex());
    assert!(aims(&BSS, &seen).is_empty());
    let loss = BSS.loss(batch()).into_data().try_into_vec_as::<f32>().unwrap();
    assert!(loss[0].is_finite());
}
