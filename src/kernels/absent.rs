//! What `cube` has, in a build that has it not.

use super::asked::{Descent, Frame, Moments, Weights};
use burn::tensor::{Int, Tensor};

fn absent() -> ! {
    unreachable!("this build has no device but the CPU")
}

pub fn gather(_: Vec<Tensor<1>>) -> Tensor<1> {
    absent()
}

pub fn scatter(_: Tensor<1>, _: &[usize]) -> Vec<Tensor<1>> {
    absent()
}

pub fn mean_pixels(_: Tensor<4>) -> Tensor<4> {
    absent()
}

pub fn soft_loss(_: Tensor<2>, _: Tensor<1, Int>, _: Option<Tensor<2>>, _: Weights) -> Tensor<1> {
    absent()
}

pub fn score_step(
    _: Tensor<1>,
    _: Tensor<1>,
    _: Tensor<2>,
    _: Tensor<1, Int>,
    _: [usize; 2],
) -> Tensor<1> {
    absent()
}

pub fn descend_all(_: Tensor<1>, _: Tensor<1>, _: Tensor<1>, _: Descent) -> [Tensor<1>; 2] {
    absent()
}

pub fn adapt_all(_: Tensor<1>, _: Tensor<1>, _: [Tensor<1>; 2], _: Moments) -> [Tensor<1>; 3] {
    absent()
}

pub fn frame_batch(_: Tensor<2, Int>, _: Tensor<1, Int>, _: [Tensor<4>; 2], _: Frame) -> Tensor<4> {
    absent()
}
