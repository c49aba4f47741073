//! BatchNorm's tensors, and how running moments follow a batch's.

use super::{
    init::Source,
    operations::{Images, Mode, NormTensors},
};
use crate::{
    kernels::{After, Running},
    onnx::NormValues,
    tensors::{Role, Visitor, host},
};
use burn::tensor::Tensor;

/// PyTorch's `nn.BatchNorm2d` default.
pub(super) const EPSILON: f64 = 1e-5;

/// BatchNorm.
#[derive(Clone)]
pub(super) struct Norm {
    pub name: String,
    pub gamma: Tensor<1>, // this and all below: [channels]
    beta: Tensor<1>,
    mean: Tensor<1>,
    var: Tensor<1>,
}

impl Norm {
    /// With a factor of 1 and a summand of 0.
    pub fn new(name: String, channels: usize, from: Source<'_>) -> Self {
        let [gamma, var] = [(); 2].map(|()| Tensor::ones([channels], from.device));
        let [beta, mean] = [(); 2].map(|()| Tensor::zeros([channels], from.device));
        Self { name, gamma, beta, mean, var }
    }

    /// What an operation reads.
    pub fn tensors(&self) -> NormTensors {
        NormTensors {
            gamma: self.gamma.clone(),
            beta: self.beta.clone(),
            mean: self.mean.clone(),
            variance: self.var.clone(),
        }
    }

    /// What a graph reads.
    pub fn values(&self) -> NormValues<'_> {
        let [gamma, beta, mean, variance] =
            [&self.gamma, &self.beta, &self.mean, &self.var].map(|tensor| host(tensor.clone()));
        NormValues { name: &self.name, gamma, beta, mean, variance, epsilon: EPSILON as f32 }
    }

    /// Images normalised, without a convolution before, and what follows.
    pub fn forward(&mut self, x: Images, after: After, mode: Mode) -> Images {
        let (out, running) = x.norm(self.tensors(), after, EPSILON, mode);
        self.track(running);
        out
    }

    /// Keeps the running moments that a batch has moved.
    pub fn track(&mut self, running: Option<Running>) {
        if let Some([mean, variance]) = running {
            (self.mean, self.var) = (mean, variance);
        }
    }

    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.visit(&format!("{}.weight", self.name), Role::Parameter, &mut self.gamma);
        visitor.visit(&format!("{}.bias", self.name), Role::Parameter, &mut self.beta);
        visitor.visit(&format!("{}.running_mean", self.name), Role::Statistic, &mut self.mean);
        visitor.visit(&format!("{}.running_var", self.name), Role::Statistic, &mut self.var);
    }
}
