//! The trained network in an entry.

use super::{FileError, WEIGHTS, device::Selected, failure::cache, files::read_weights};
use crate::{
    architecture::Architecture,
    executor::StepError,
    kinds::Kinds,
    network::{LoadError, Network},
    shape::Shape,
    store::{Entry, StoreError},
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
    /// A file that is gone or damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
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

/// The layers of the network in an entry, and itself on a device.
///
/// # Errors
/// [`NetworkError`] if the entry has none, or it cannot be read.
pub fn trained_network(
    entry: &Entry,
    kinds: &Kinds,
    device: &Selected,
) -> Result<(Architecture, Network), NetworkError> {
    let weights = entry.read(WEIGHTS)?;
    let net = entry.manifest.inputs.net.as_ref().ok_or(NetworkError::None)?;
    let net = net.architecture(kinds).map_err(|why| NetworkError::Layers(why.to_string()))?;
    // Every initial weight is replaced; the seed does not matter.
    let mut network = Network::init(&net, 0, &device.device).with_kernels(device.kernels);
    network.load(read_weights(&weights)?)?;
    Ok((net, network))
}

/// Logits, row by row, of normalised images `[channels, height, width]` one behind another.
pub fn logits_of(network: &Network, images: Vec<f32>, shape: Shape, device: &Selected) -> Vec<f32> {
    let mut logits = Vec::new();
    for image in images.chunks_exact(shape.size()) {
        let dims = [1, shape.channels, shape.height, shape.width];
        let data = TensorData::new(image.to_vec(), dims);
        logits.extend(host(network.infer(Tensor::from_data(data, &device.device))));
    }
    logits
}
