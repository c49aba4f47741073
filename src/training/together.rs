//! One update of all parameters, as one tensor: on a GPU an update of each is a launch of each.

use crate::{
    kernels::Layout,
    network::{AnyTensor, Role, Visitor},
    optimizer::{Optimizer, Step},
};
use burn::tensor::{Gradients, Tensor};
use std::{collections::BTreeMap, vec::IntoIter};

/// The state of those parameters that had a gradient in the last step, each part of it one behind the other.
#[derive(Debug)]
pub(super) struct Together {
    names: Vec<String>,
    layout: Layout,
    state: Vec<Tensor<1>>,
}

/// A state's tensors by the parameter's name.
type ByName = BTreeMap<String, Vec<Tensor<1>>>;

impl Together {
    /// Of these parameters, whose state so far is in `apart`, and leaves it.
    pub fn new(names: Vec<String>, values: &[Tensor<1>], apart: &mut ByName) -> Self {
        let lengths = values.iter().map(|value| value.dims()[0]).collect();
        let layout = Layout::new(lengths, &values[0].device());
        let mut own: Vec<IntoIter<Tensor<1>>> =
            names.iter().map(|name| apart.remove(name).unwrap_or_default().into_iter()).collect();
        let mut state = Vec::new();
        // A parameter that had no gradient before has no state where others have: it begins at zero.
        while own.iter().any(|tensors| tensors.len() > 0) {
            let parts = own.iter_mut().zip(values);
            let parts = parts.map(|(own, value)| own.next().unwrap_or_else(|| value.zeros_like()));
            state.push(layout.gather(parts.collect()));
        }
        Self { names, layout, state }
    }

    /// Whether these are the parameters.
    pub fn is_of(&self, names: &[String]) -> bool {
        self.names == names
    }

    /// The parameters.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The state by name.
    pub fn by_name(&self) -> ByName {
        let mut apart = ByName::new();
        for part in &self.state {
            for (name, tensor) in self.names.iter().zip(self.layout.scatter(part.clone())) {
                apart.entry(name.clone()).or_default().push(tensor);
            }
        }
        apart
    }

    /// The parameters after a step of all.
    pub fn update(
        &mut self,
        rule: &dyn Optimizer,
        values: Vec<Tensor<1>>,
        gradients: Vec<Tensor<1>>,
        lr: f64,
        steps: i32,
    ) -> Vec<Tensor<1>> {
        let [value, gradient] = [values, gradients].map(|tensors| self.layout.gather(tensors));
        let value = rule.update(Step { value, gradient, lr, steps }, &mut self.state);
        self.layout.scatter(value)
    }
}

/// What a step changes: parameters with a gradient.
pub(super) struct Taken<'a> {
    gradients: &'a mut Gradients,
    pub names: Vec<String>,
    pub values: Vec<Tensor<1>>,
    /// Their gradients.
    pub own: Vec<Tensor<1>>,
}

impl<'a> Taken<'a> {
    /// Of those whose gradients are here.
    pub fn new(gradients: &'a mut Gradients) -> Self {
        Self { gradients, names: Vec::new(), values: Vec::new(), own: Vec::new() }
    }
}

impl Visitor for Taken<'_> {
    fn visit(&mut self, name: &str, role: Role, tensor: &mut dyn AnyTensor) {
        if role == Role::Statistic {
            return;
        }
        let Some(gradient) = tensor.take_gradient(self.gradients) else { return };
        self.names.push(name.to_owned());
        self.values.push(tensor.flat());
        self.own.push(gradient);
    }
}

/// Puts them back.
pub(super) struct Replaced<'a> {
    names: &'a [String],
    values: Vec<Tensor<1>>,
    next: usize,
}

impl<'a> Replaced<'a> {
    /// In the order in which [`Taken`] met them.
    pub fn new(names: &'a [String], values: Vec<Tensor<1>>) -> Self {
        Self { names, values, next: 0 }
    }
}

impl Visitor for Replaced<'_> {
    fn visit(&mut self, name: &str, role: Role, tensor: &mut dyn AnyTensor) {
        if role == Role::Parameter && self.names.get(self.next).is_some_and(|next| next == name) {
            tensor.replace_tracked(self.values[self.next].clone());
            self.next += 1;
        }
    }
}
