//! What an objective can ask two networks beside a batch.

use burn::tensor::{Int, Tensor};

/// A student and its frozen teacher in one step.
pub trait Networks {
    /// The batch's images, `[batch, channels, height, width]`, without gradient.
    fn images(&self) -> Tensor<4>;

    /// The teacher's logits `[n, classes]` of images, and the gradient by the images of
    /// Σ logits · `weights`. Both without gradient.
    fn teacher_gradient(&self, images: Tensor<4>, weights: Tensor<2>) -> (Tensor<2>, Tensor<4>);

    /// The logits of both, `[n, classes]`, the student's with gradient and with the images' own
    /// statistics, which also move its running ones.
    fn both(&mut self, images: Tensor<4>) -> [Tensor<2>; 2];
}

/// What is known of a batch before its loss, without gradient.
#[derive(Clone)]
pub struct Seen {
    /// The student's logits, `[batch, classes]`.
    pub student: Tensor<2>,
    /// The teacher's.
    pub teacher: Tensor<2>,
    /// `[batch]`.
    pub labels: Tensor<1, Int>,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Which batch of the epoch it is, counted from 0.
    pub step: usize,
    /// The training's seed.
    pub seed: u64,
}
