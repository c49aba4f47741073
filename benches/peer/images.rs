//! Images that both sides train on: noise, since speed does not depend on what is seen.

use burn::tensor::{Device, Tensor, TensorData};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};
use takd::{
    architecture::Architecture,
    kinds::Kinds,
    network::{NamedTensor, Network, builtin},
    rng::{Purpose, Stream},
    shape::Shape,
};

pub const SHAPE: Shape = Shape { channels: 3, height: 32, width: 32 };
pub const CLASSES: usize = 10;

/// Random bytes and labels of `count` images.
pub struct Noise {
    pub pixels: Vec<u8>,
    pub labels: Vec<u8>,
}

impl Noise {
    pub fn new(count: usize) -> Self {
        let mut stream = Stream::new(1, Purpose::Holdout, 0, 0);
        let pixels = (0..count * SHAPE.size()).map(|_| (stream.uniform() * 256.0) as u8).collect();
        Self { pixels, labels: (0..count).map(|place| (place % CLASSES) as u8).collect() }
    }

    /// Pixels in [−1, 1].
    pub fn floats(&self) -> Vec<f32> {
        self.pixels.iter().map(|&pixel| f32::from(pixel) / 127.5 - 1.0).collect()
    }

    /// Labels and pixels in CIFAR-10's layout.
    pub fn cifar(&self) -> Vec<u8> {
        let pairs = self.labels.iter().zip(self.pixels.chunks_exact(SHAPE.size()));
        pairs.flat_map(|(label, pixels)| std::iter::once(label).chain(pixels)).copied().collect()
    }

    /// The images as PyTorch's side reads them, with the weights of some networks.
    pub fn write(&self, nets: &[&str], file: &Path) -> Result<(), Box<dyn Error>> {
        let images = NamedTensor {
            name: "images".to_owned(),
            shape: vec![self.labels.len(), SHAPE.channels, SHAPE.height, SHAPE.width],
            values: self.floats(),
        };
        let labels = self.labels.iter().map(|&label| f32::from(label)).collect();
        let labels = NamedTensor {
            name: "labels".to_owned(),
            shape: vec![self.labels.len()],
            values: labels,
        };
        let mut tensors = vec![images, labels];
        for name in nets {
            tensors.extend(
                network(name)?.save().into_iter().map(|tensor| NamedTensor {
                    name: format!("{name}/{}", tensor.name),
                    ..tensor
                }),
            );
        }
        fs::write(file, takd::node::write_weights(&tensors)?)?;
        Ok(())
    }
}

/// A built-in network with fresh weights.
pub fn network(name: &str) -> Result<Network, Box<dyn Error>> {
    let layers = builtin(name, CLASSES).ok_or("no such network")?;
    Ok(Network::init(
        &Architecture::read(&layers, SHAPE, CLASSES, &Kinds::default())?,
        1,
        &Device::flex(),
    ))
}

/// `[images, channels, height, width]`.
pub fn tensor(noise: &Noise) -> Tensor<4> {
    let shape = [noise.labels.len(), SHAPE.channels, SHAPE.height, SHAPE.width];
    Tensor::from_data(TensorData::new(noise.floats(), shape), &Device::flex())
}

/// A fresh folder for what a benchmark writes.
pub fn folder(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peer").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
