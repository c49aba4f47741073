//! An optimizer's state for a network's named parameters.
//!
//! It is a map from a parameter's name to flat tensors, so that it can be written to a
//! checkpoint and read back; burn's own optimizers keep theirs private and under random ids.

use super::{
    learned::Learned,
    together::{Replaced, Taken, Together},
};
use crate::{
    kernels::on_cpu,
    kind::Choice,
    network::{AnyTensor, NamedTensor, Network, Role, Visitor},
    optimizer::{Optimizer, Step},
    tensors::{Flat, read},
};
use burn::tensor::{Device, Gradients, Tensor};
use std::collections::BTreeMap;

/// An optimizer with its state.
pub struct OptimizerState {
    rule: Choice<dyn Optimizer>,
    steps: i32,
    state: BTreeMap<String, Vec<Tensor<1>>>,
    /// Whether a step updates all parameters as one: on any device but the CPU.
    as_one: bool,
    /// The state of those that the last such step updated, in place of theirs in `state`.
    together: Option<Together>,
}

impl OptimizerState {
    /// An optimizer on `device` that has made no step.
    pub fn new(rule: Choice<dyn Optimizer>, device: &Device) -> Self {
        let as_one = !on_cpu(device);
        Self { rule, steps: 0, state: BTreeMap::new(), as_one, together: None }
    }

    /// Forgets all steps.
    pub fn restart(&mut self) {
        self.steps = 0;
        self.state.clear();
        self.together = None;
    }

    /// The state on the host, and how many updates it has seen.
    pub fn save(&self) -> (i32, Vec<NamedTensor>) {
        (self.steps, read(self.flat()))
    }

    /// How many updates it has seen.
    pub(super) fn steps(&self) -> i32 {
        self.steps
    }

    /// The state where it is.
    pub(super) fn flat(&self) -> Vec<Flat> {
        let mut state = self.together.as_ref().map(Together::by_name).unwrap_or_default();
        state.extend(self.state.clone());
        let parts = state.iter().flat_map(|(name, tensors)| {
            let named = tensors.iter().enumerate();
            named.map(move |(index, tensor)| Flat {
                name: format!("{name}/{index}"),
                shape: tensor.dims().to_vec(),
                tensor: tensor.clone(),
            })
        });
        parts.collect()
    }

    /// An optimizer that continues from what [`save`](Self::save) gave.
    pub fn load(
        rule: Choice<dyn Optimizer>,
        steps: i32,
        tensors: &[NamedTensor],
        device: &Device,
    ) -> Self {
        let mut state: BTreeMap<String, Vec<Tensor<1>>> = BTreeMap::new();
        let mut ordered: Vec<&NamedTensor> = tensors.iter().collect();
        ordered.sort_by(|a, b| a.name.cmp(&b.name));
        for tensor in ordered {
            let name = tensor.name.rsplit_once('/').map_or(tensor.name.as_str(), |(name, _)| name);
            let value = Tensor::from_data(tensor.values.as_slice(), device);
            state.entry(name.to_owned()).or_default().push(value);
        }
        Self { steps, state, ..Self::new(rule, device) }
    }

    /// One update of every parameter of `net` that has a gradient, with learning rate `lr`.
    pub fn step(&mut self, net: &mut Network, grads: Gradients, lr: f64) {
        self.step_with(net, &mut Learned::default(), grads, lr);
    }

    /// As [`step`](Self::step), and of what the objective trains.
    pub(super) fn step_with(
        &mut self,
        net: &mut Network,
        learned: &mut Learned,
        grads: Gradients,
        lr: f64,
    ) {
        self.steps += 1;
        if self.as_one {
            return self.step_as_one(net, learned, grads, lr);
        }
        let mut update = Update { optimizer: self, grads, lr };
        net.visit(&mut update);
        learned.visit(&mut update);
    }

    fn step_as_one(
        &mut self,
        net: &mut Network,
        learned: &mut Learned,
        mut grads: Gradients,
        lr: f64,
    ) {
        let mut taken = Taken::new(&mut grads);
        net.visit(&mut taken);
        learned.visit(&mut taken);
        let Taken { names, values, own, .. } = taken;
        if names.is_empty() {
            return;
        }
        let mut together = match self.together.take() {
            Some(together) if together.is_of(&names) => together,
            others => {
                self.state.extend(others.map(|others| others.by_name()).unwrap_or_default());
                Together::new(names, &values, &mut self.state)
            }
        };
        let values = together.update(&*self.rule, values, own, lr, self.steps);
        let mut replaced = Replaced::new(together.names(), values);
        net.visit(&mut replaced);
        learned.visit(&mut replaced);
        self.together = Some(together);
    }
}

struct Update<'a> {
    optimizer: &'a mut OptimizerState,
    grads: Gradients,
    lr: f64,
}

impl Visitor for Update<'_> {
    fn visit(&mut self, name: &str, role: Role, tensor: &mut dyn AnyTensor) {
        if role == Role::Statistic {
            return;
        }
        let Some(gradient) = tensor.take_gradient(&mut self.grads) else { return };
        let OptimizerState { rule, steps, state, .. } = &mut *self.optimizer;
        let step = Step { value: tensor.flat(), gradient, lr: self.lr, steps: *steps };
        let value = rule.update(step, state.entry(name.to_owned()).or_default());
        tensor.replace_tracked(value);
    }
}
