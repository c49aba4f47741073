//! PyTorch's update rules on a network's named parameters.
//!
//! The state is a map from a parameter's name to flat tensors, so that it can be written to a
//! checkpoint and read back; burn's own optimizers keep theirs private and under random ids.

use crate::{
    config::{Adam, Optimizer},
    net::{NamedTensor, Network, Role, Visitor},
};
use burn::tensor::{Device, Gradients, Tensor};
use std::collections::BTreeMap;

/// An optimizer with its state.
pub struct Updater {
    rule: Optimizer,
    steps: i32,
    state: BTreeMap<String, Vec<Tensor<1>>>,
}

impl Updater {
    /// An optimizer that has made no step.
    pub fn new(rule: Optimizer) -> Self {
        Self { rule, steps: 0, state: BTreeMap::new() }
    }

    /// The state on the host, and how many updates it has seen.
    pub fn save(&self) -> (i32, Vec<NamedTensor>) {
        let tensors = self.state.iter().flat_map(|(name, tensors)| {
            tensors.iter().enumerate().map(move |(place, tensor)| {
                let values = tensor.to_data().try_into_vec_as::<f32>();
                let values = values.expect("an optimizer's state has f32 elements");
                NamedTensor { name: format!("{name}/{place}"), shape: vec![values.len()], values }
            })
        });
        (self.steps, tensors.collect())
    }

    /// An optimizer that goes on from what [`save`](Self::save) gave.
    pub fn load(rule: Optimizer, steps: i32, tensors: &[NamedTensor], device: &Device) -> Self {
        let mut state: BTreeMap<String, Vec<Tensor<1>>> = BTreeMap::new();
        let mut ordered: Vec<&NamedTensor> = tensors.iter().collect();
        ordered.sort_by(|a, b| a.name.cmp(&b.name));
        for tensor in ordered {
            let name = tensor.name.rsplit_once('/').map_or(tensor.name.as_str(), |(name, _)| name);
            let value = Tensor::from_data(tensor.values.as_slice(), device);
            state.entry(name.to_owned()).or_default().push(value);
        }
        Self { rule, steps, state }
    }

    /// One update of every parameter of `net` that has a gradient, with learning rate `lr`.
    pub fn step(&mut self, net: &mut Network, grads: Gradients, lr: f64) {
        self.steps += 1;
        net.visit(&mut Step { updater: self, grads, lr });
    }

    fn update(&mut self, name: &str, value: Tensor<1>, grad: Tensor<1>, lr: f64) -> Tensor<1> {
        let state = self.state.entry(name.to_owned()).or_default();
        match self.rule {
            Optimizer::Sgd { momentum, nesterov, weight_decay, .. } => {
                let grad = penalise(grad, &value, weight_decay);
                let direction = if momentum == 0.0 {
                    grad
                } else {
                    let velocity = match state.pop() {
                        Some(old) => old * momentum + grad.clone(),
                        None => grad.clone(),
                    };
                    state.push(velocity.clone());
                    if nesterov { grad + velocity * momentum } else { velocity }
                };
                value - direction * lr
            }
            Optimizer::Adam(adam) => {
                let grad = penalise(grad, &value, adam.weight_decay);
                value - adam_direction(adam, state, grad, self.steps) * lr
            }
            Optimizer::AdamW(adam) => {
                let value = value * (1.0 - lr * adam.weight_decay);
                value - adam_direction(adam, state, grad, self.steps) * lr
            }
        }
    }
}

fn penalise(grad: Tensor<1>, value: &Tensor<1>, weight_decay: f64) -> Tensor<1> {
    if weight_decay == 0.0 { grad } else { grad + value.clone() * weight_decay }
}

/// Kingma and Ba 2015, algorithm 1, with the bias corrections where PyTorch puts them.
fn adam_direction(
    adam: Adam,
    state: &mut Vec<Tensor<1>>,
    grad: Tensor<1>,
    steps: i32,
) -> Tensor<1> {
    let [beta1, beta2] = adam.betas;
    let square = grad.clone() * grad.clone() * (1.0 - beta2);
    let grad = grad * (1.0 - beta1);
    let (second, first) = match (state.pop(), state.pop()) {
        (Some(second), Some(first)) => (second * beta2 + square, first * beta1 + grad),
        _ => (square, grad),
    };
    *state = vec![first.clone(), second.clone()];
    let scale = (1.0 - beta2.powi(steps)).sqrt();
    let denominator = second.sqrt() / scale + adam.epsilon;
    first / (1.0 - beta1.powi(steps)) / denominator
}

struct Step<'a> {
    updater: &'a mut Updater,
    grads: Gradients,
    lr: f64,
}

impl Visitor for Step<'_> {
    fn visit<const D: usize>(&mut self, name: &str, role: Role, tensor: &mut Tensor<D>) {
        if role == Role::Statistic {
            return;
        }
        let Some(grad) = tensor.grad_remove(&mut self.grads) else { return };
        let shape = tensor.dims();
        let count = shape.iter().product::<usize>();
        let value = tensor.clone().inner().reshape([count]);
        let value = self.updater.update(name, value, grad.reshape([count]), self.lr);
        *tensor = value.reshape(shape).autodiff().require_grad();
    }
}
