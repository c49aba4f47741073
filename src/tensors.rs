//! Named tensors, and the visitor that walks a network's.

use crate::kernels::Layout;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::{collections::BTreeMap, panic::resume_unwind};

/// Whether a tensor is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Updated by the optimizer.
    Parameter,
    /// Kept by the forward pass: BatchNorm's running mean and variance.
    Statistic,
}

/// Something done to each tensor of a network, in the order of the layers.
pub trait Visitor {
    /// Called once for each tensor.
    fn visit(&mut self, name: &str, role: Role, tensor: &mut dyn AnyTensor);
}

/// A tensor of any number of dimensions.
pub trait AnyTensor {
    /// Extent of each dimension.
    fn shape(&self) -> Vec<usize>;
    /// Puts values from the host in its place, as many as it has.
    fn replace(&mut self, values: Vec<f32>);
    /// Itself without gradient, in one dimension.
    fn flat(&self) -> Tensor<1>;
    /// Puts a tensor of as many values in its place and records gradients of it.
    fn replace_tracked(&mut self, flat: Tensor<1>);
    /// Takes its gradient out of `gradients`, in one dimension.
    fn take_gradient(&self, gradients: &mut Gradients) -> Option<Tensor<1>>;
    /// Its gradient in `gradients`, on the host.
    fn gradient(&self, gradients: &Gradients) -> Option<Vec<f32>>;
    /// Starts recording gradients of it.
    fn track(&mut self);
    /// Puts it into autodiff, without a gradient of its own.
    fn lift(&mut self);
    /// Takes it out of autodiff.
    fn untrack(&mut self);
}

/// Whether a device's memory is the host's, so that nothing waits where a number is read.
pub(crate) fn is_host(device: &Device) -> bool {
    *device == Device::flex()
}

/// What a device says instead of numbers. A GPU is given work and asked later, so whatever went wrong on
/// it shows where a number is read, everywhere in a training: it unwinds to whoever has given the device
/// out. No hook hears of it, and a CPU knows none.
#[derive(Debug)]
pub(crate) struct DeviceFault(pub String);

/// Its values on the host, row-major.
///
/// # Panics
/// By unwinding with a [`DeviceFault`] if the device failed.
pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.try_into_data();
    let data = data.unwrap_or_else(|error| resume_unwind(Box::new(DeviceFault(error.to_string()))));
    let values = data.try_into_vec_as::<f32>();
    values.expect("takd's floating-point tensors have f32 elements")
}

/// As [`host`] of each. A GPU lays them one behind another first, and gives them in one copy.
pub(crate) fn hosts(tensors: Vec<Tensor<1>>) -> Vec<Vec<f32>> {
    match &tensors[..] {
        [first, _, ..] if !is_host(&first.device()) => hosts_at_once(tensors),
        _ => tensors.into_iter().map(host).collect(),
    }
}

fn hosts_at_once(tensors: Vec<Tensor<1>>) -> Vec<Vec<f32>> {
    let lengths = tensors.iter().map(|tensor| tensor.dims()[0]).collect();
    let layout = Layout::new(lengths, &tensors[0].device());
    layout.cut(&host(layout.gather(tensors)))
}

impl<const D: usize> AnyTensor for Tensor<D> {
    fn shape(&self) -> Vec<usize> {
        self.dims().to_vec()
    }

    fn replace(&mut self, values: Vec<f32>) {
        *self = Tensor::from_data(TensorData::new(values, self.dims()), &self.device());
    }

    fn flat(&self) -> Tensor<1> {
        let count = self.dims().iter().product::<usize>();
        self.clone().inner().reshape([count])
    }

    fn replace_tracked(&mut self, flat: Tensor<1>) {
        *self = flat.reshape(self.dims()).autodiff().require_grad();
    }

    fn take_gradient(&self, gradients: &mut Gradients) -> Option<Tensor<1>> {
        let count = self.dims().iter().product::<usize>();
        Some(self.grad_remove(gradients)?.reshape([count]))
    }

    fn gradient(&self, gradients: &Gradients) -> Option<Vec<f32>> {
        self.grad(gradients).map(host)
    }

    fn track(&mut self) {
        *self = self.clone().autodiff().require_grad();
    }

    fn lift(&mut self) {
        *self = self.clone().autodiff();
    }

    fn untrack(&mut self) {
        *self = self.clone().inner();
    }
}

/// A tensor on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// PyTorch's name for it.
    pub name: String,
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// Whether no value is NaN or infinite.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// Why a set of tensors does not fit a network.
#[derive(Debug, thiserror::Error)]
#[error("the weights do not fit the network: {}", problems.join("; "))]
pub struct LoadError {
    /// One sentence a tensor.
    pub problems: Vec<String>,
}

/// A named tensor on its device, in one dimension.
pub(crate) struct Flat {
    pub name: String,
    /// What it is read as.
    pub shape: Vec<usize>,
    pub tensor: Tensor<1>,
}

/// Every tensor that `visit` walks.
pub(crate) fn flat(visit: impl FnOnce(&mut dyn Visitor)) -> Vec<Flat> {
    let mut saver = Saver::default();
    visit(&mut saver);
    saver.0
}

/// Copies tensors to the host, all in one copy.
pub(crate) fn read(tensors: Vec<Flat>) -> Vec<NamedTensor> {
    read_beside(tensors, Vec::new()).0
}

/// As [`read`], and of what is `beside` them the values, in the same copy.
pub(crate) fn read_beside(
    tensors: Vec<Flat>,
    beside: Vec<Tensor<1>>,
) -> (Vec<NamedTensor>, Vec<Vec<f32>>) {
    let (named, mut all): (Vec<_>, Vec<_>) =
        tensors.into_iter().map(|flat| ((flat.name, flat.shape), flat.tensor)).unzip();
    all.extend(beside);
    let mut values = hosts(all);
    let beside = values.split_off(named.len());
    let named = named.into_iter().zip(values);
    let named = named.map(|((name, shape), values)| NamedTensor { name, shape, values });
    (named.collect(), beside)
}

/// Replaces every tensor that `visit` walks.
pub(crate) fn load(
    tensors: Vec<NamedTensor>,
    visit: impl FnOnce(&mut dyn Visitor),
) -> Result<(), LoadError> {
    let mut loader = Loader::new(tensors);
    visit(&mut loader);
    loader.finish()
}

/// Every tensor, flat, with its name and shape.
#[derive(Default)]
struct Saver(Vec<Flat>);

impl Visitor for Saver {
    fn visit(&mut self, name: &str, _: Role, tensor: &mut dyn AnyTensor) {
        let (name, shape) = (name.to_owned(), tensor.shape());
        self.0.push(Flat { name, shape, tensor: tensor.flat() });
    }
}

/// Puts tensors from the host in place of a network's.
struct Loader {
    left: BTreeMap<String, NamedTensor>,
    problems: Vec<String>,
}

impl Loader {
    fn new(tensors: Vec<NamedTensor>) -> Self {
        let left = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        Self { left, problems: Vec::new() }
    }

    fn finish(mut self) -> Result<(), LoadError> {
        self.problems.extend(self.left.keys().map(|name| format!("unexpected `{name}`")));
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(LoadError { problems: self.problems })
    }
}

impl Visitor for Loader {
    fn visit(&mut self, name: &str, _: Role, tensor: &mut dyn AnyTensor) {
        let Some(found) = self.left.remove(name) else {
            self.problems.push(format!("missing `{name}`"));
            return;
        };
        let (want, have) = (tensor.shape(), found.shape);
        if have != want || found.values.len() != have.iter().product::<usize>() {
            self.problems.push(format!("`{name}` has shape {have:?}, not {want:?}"));
            return;
        }
        tensor.replace(found.values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_that_are_read_at_once_are_those_that_were_given() {
        let device = Device::flex();
        let of = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
        let tensors = vec![of(&[1.0, 2.0]), of(&[3.0]), of(&[4.0, 5.0, 6.0])];
        let apart = hosts(tensors.clone());
        assert_eq!(apart, [vec![1.0, 2.0], vec![3.0], vec![4.0, 5.0, 6.0]]);
        assert_eq!(hosts_at_once(tensors), apart);
        assert!(hosts(Vec::new()).is_empty());
    }
}
