//! Named tensors, and the visitor that walks a network's.

use burn::tensor::Tensor;
use std::collections::BTreeMap;

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
    /// Called once for each tensor; it may replace it by one of the same shape.
    fn visit<const D: usize>(&mut self, name: &str, role: Role, tensor: &mut Tensor<D>);
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

/// Reads every tensor to the host.
#[derive(Default)]
pub(super) struct Saver(pub Vec<NamedTensor>);

impl Visitor for Saver {
    fn visit<const D: usize>(&mut self, name: &str, _: Role, tensor: &mut Tensor<D>) {
        let values = tensor
            .to_data()
            .try_into_vec_as::<f32>()
            .expect("every tensor of a network is created with f32 elements");
        let shape = tensor.dims().to_vec();
        self.0.push(NamedTensor { name: name.to_owned(), shape, values });
    }
}

/// Puts tensors from the host in place of a network's.
pub(super) struct Loader {
    left: BTreeMap<String, NamedTensor>,
    problems: Vec<String>,
}

impl Loader {
    pub(super) fn new(tensors: Vec<NamedTensor>) -> Self {
        let left = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        Self { left, problems: Vec::new() }
    }

    pub(super) fn finish(mut self) -> Result<(), LoadError> {
        self.problems.extend(self.left.keys().map(|name| format!("unexpected `{name}`")));
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(LoadError { problems: self.problems })
    }
}

impl Visitor for Loader {
    fn visit<const D: usize>(&mut self, name: &str, _: Role, tensor: &mut Tensor<D>) {
        let Some(found) = self.left.remove(name) else {
            self.problems.push(format!("missing `{name}`"));
            return;
        };
        if found.shape != tensor.dims()
            || found.values.len() != found.shape.iter().product::<usize>()
        {
            let (want, have) = (tensor.dims(), found.shape);
            self.problems.push(format!("`{name}` has shape {have:?}, not {want:?}"));
            return;
        }
        let data = burn::tensor::TensorData::new(found.values, tensor.dims());
        *tensor = Tensor::from_data(data, &tensor.device());
    }
}
