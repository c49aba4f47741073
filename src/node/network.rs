//! The trained network in an entry.

use super::{FileError, device::Selected, failure::cache, fault::guarded, files::read_weights};
use crate::{
    architecture::Architecture,
    executor::StepError,
    kinds::Kinds,
    network::{LoadError, Network},
    pipeline::GpuMemory,
    shape::Shape,
    store::Entry,
    tensors::host,
};
use burn::tensor::{Tensor, TensorData};

/// Why an entry gives no network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// An entry of another kind.
    #[error("the entry holds no network")]
    None,
    /// Layers that this program does not know.
    #[error("the network cannot be built: {0}")]
    Layers(String),
    /// Weights that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Weights of another network.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl From<NetworkError> for StepError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::File(error) => error.into(),
            other => cache(other),
        }
    }
}

/// The layers of the network in an entry, and itself on a device; `weights` are those that lie there.
///
/// # Errors
/// [`NetworkError`] if the entry has none, or it cannot be read.
pub fn trained_network(
    entry: &Entry,
    weights: &[u8],
    kinds: &Kinds,
    device: &Selected,
) -> Result<(Architecture, Network), NetworkError> {
    let net = entry.manifest.inputs.net.as_ref().ok_or(NetworkError::None)?;
    let net = net.architecture(kinds).map_err(|why| NetworkError::Layers(why.to_string()))?;
    // Every initial weight is replaced; the seed does not matter.
    let mut network = Network::init(&net, 0, &device.device).with_kernels(device.kernels);
    network.load(read_weights(weights)?)?;
    Ok((net, network))
}

/// Logits, row by row, of normalised images `[channels, height, width]` one behind another.
///
/// # Errors
/// [`StepError`] if the device fails.
pub fn logits_of(
    network: &Network,
    images: Vec<f32>,
    shape: Shape,
    device: &Selected,
) -> Result<Vec<f32>, StepError> {
    let count = images.len() / shape.size();
    let data = TensorData::new(images, [count, shape.channels, shape.height, shape.width]);
    guarded(device, GpuMemory::default(), || {
        Ok(host(network.infer(Tensor::from_data(data, &device.device))))
    })
}
