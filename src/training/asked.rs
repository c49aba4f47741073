//! The networks of a step, as an objective asks them.

use crate::{network::Network, objective::Networks};
use burn::tensor::Tensor;

/// A student in training, its teacher, and a batch.
pub struct Asked<'a> {
    /// `[batch, channels, height, width]`, without gradient.
    pub images: Tensor<4>,
    /// Tracked.
    pub student: &'a mut Network,
    /// Frozen.
    pub teacher: &'a Network,
}

impl Networks for Asked<'_> {
    fn images(&self) -> Tensor<4> {
        self.images.clone()
    }

    fn teacher_gradient(&self, images: Tensor<4>, weights: Tensor<2>) -> (Tensor<2>, Tensor<4>) {
        self.teacher.input_gradient(images, weights)
    }

    fn both(&mut self, images: Tensor<4>) -> [Tensor<2>; 2] {
        let teacher = self.teacher.infer(images.clone()).autodiff();
        [self.student.train(images.autodiff()), teacher]
    }
}
