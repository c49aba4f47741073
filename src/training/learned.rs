//! What an objective trains beside the student: a projection, a temperature.

use crate::{
    layer::{Source, uniform},
    network::{AnyTensor, LoadError, NamedTensor, Role, Visitor},
    objective::{Needs, Start},
    recipe::BatchnormWeight,
    tensors::{self, Flat},
};
use burn::tensor::{Device, Tensor};

/// Before the names of parameters: none of a network's begins so.
const PREFIX: &str = "objective.";

/// An objective's parameters on a device, in the order of its needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned(Vec<(String, Tensor<1>)>);

impl Learned {
    /// With their initial values, drawn from `seed`.
    pub fn init(needs: &Needs, seed: u64, device: &Device) -> Self {
        let from = Source { seed: Some(seed), batchnorm_weight: BatchnormWeight::Ones, device };
        let parameters = needs.all_parameters().into_iter().map(|(name, parameter)| {
            let name = format!("{PREFIX}{name}");
            let shape = [parameter.count];
            let tensor = match parameter.start {
                Start::Constant(value) => Tensor::full(shape, value, device),
                Start::Uniform { fan_in } => uniform(&name, shape, fan_in, from),
            };
            (name, tensor)
        });
        Self(parameters.collect())
    }

    /// Each of them, flat.
    pub fn tensors(&self) -> Vec<Tensor<1>> {
        self.0.iter().map(|(_, tensor)| tensor.clone()).collect()
    }

    /// Starts recording gradients of them.
    pub fn track(&mut self) {
        self.0.iter_mut().for_each(|(_, tensor)| tensor.track());
    }

    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        for (name, tensor) in &mut self.0 {
            visitor.visit(name, Role::Parameter, tensor);
        }
    }

    pub fn flat(&self) -> Vec<Flat> {
        tensors::flat(|visitor| self.clone().visit(visitor))
    }

    pub fn load(&mut self, tensors: Vec<NamedTensor>) -> Result<(), LoadError> {
        tensors::load(tensors, |visitor| self.visit(visitor))
    }
}
