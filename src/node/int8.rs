//! A network in 8 bits, calibrated on training images.

use crate::{
    architecture::Architecture,
    dataset::{DataError, View},
    network::Network,
    onnx::{OnnxError, Pixels, quantised},
    tensors::host,
};
use std::collections::BTreeMap;

/// Training images whose activations give the ranges: the first ones that are not held out. onnxruntime's
/// examples take 100 to 1,000.
const CALIBRATION: usize = 512;

/// Why there is no network in 8 bits.
#[derive(Debug, thiserror::Error)]
pub enum Int8Error {
    /// A layer without an ONNX form; the end of a sentence that begins with the network.
    #[error("the network {0}")]
    Layer(String),
    /// A training image that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A graph that cannot be run on them.
    #[error(transparent)]
    Graph(#[from] OnnxError),
}

/// `network` as an ONNX graph in 8 bits, its ranges those of the first training images.
///
/// # Errors
/// [`Int8Error`] if a layer has no ONNX form, or an image cannot be read.
pub fn int8(
    network: &Network,
    net: &Architecture,
    pixels: &Pixels,
    metadata: &BTreeMap<String, String>,
    train: &View,
) -> Result<Vec<u8>, Int8Error> {
    let graph = network.onnx(net, pixels, true, metadata).map_err(Int8Error::Layer)?;
    let places: Vec<u32> = (0..train.len().min(CALIBRATION) as u32).collect();
    let mut images = Vec::new();
    for batch in train.batches(&places, CALIBRATION, None)? {
        images.extend(host(batch?.images));
    }
    if let Pixels::Raw { mean, std } = pixels {
        let shape = train.shape();
        for (index, plane) in images.chunks_exact_mut(shape.height * shape.width).enumerate() {
            let channel = index % shape.channels;
            plane.iter_mut().for_each(|pixel| *pixel = *pixel * std[channel] + mean[channel]);
        }
    }
    Ok(quantised(&graph, &images)?)
}
