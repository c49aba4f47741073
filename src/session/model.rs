//! What a network in a file says of pictures: one that takd exported, or any ONNX classifier that says what it
//! takes.

use super::predict::{Classes, PredictError, Prediction, predicted};
use crate::{
    architecture::Architecture,
    input::{self, MOST_WEIGHTS},
    kinds::Kinds,
    network::Network,
    node::{Choice, logits_of, read_weights},
    onnx::{Classifier, OnnxFile, PIXELS, RAW, scaled},
    shape::Shape,
};
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// What the network in `model` says of the pictures in `files`. Pictures are scaled to what it takes, and
/// normalised as its metadata says.
///
/// # Errors
/// [`PredictError`] if the file is neither ONNX nor safetensors, does not say what it takes, or a picture cannot
/// be read.
pub fn predict_with(
    model: &Path,
    device: Choice,
    files: &[PathBuf],
) -> Result<Vec<Prediction>, PredictError> {
    let is_onnx = model.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"));
    if is_onnx { by_onnx(model, files) } else { by_safetensors(model, device, files) }
}

/// The field of the card that names the classes.
const CLASS_NAMES: &str = "class_names";

fn problem(model: &Path, why: impl std::fmt::Display) -> PredictError {
    PredictError::Network(format!("{} {why}", model.display()))
}

fn by_onnx(model: &Path, files: &[PathBuf]) -> Result<Vec<Prediction>, PredictError> {
    let onnx = |error: crate::onnx::OnnxError| PredictError::Network(error.to_string());
    let file = OnnxFile::open(model).map_err(onnx)?;
    let classifier = Classifier::new(&file, None).map_err(onnx)?;
    let shape = classifier.input();
    let raw = file.metadata(PIXELS) == Some(RAW);
    let moments = match raw {
        true => Some((vec![0.0; shape.channels], vec![1.0; shape.channels])),
        false => file.json::<Vec<f64>>("mean").zip(file.json("std")),
    };
    let (mean, std) = moments
        .filter(|(mean, std)| [mean, std].iter().all(|values| values.len() == shape.channels))
        .ok_or_else(|| problem(model, "does not say `mean` and `std` in its metadata"))?;
    let classes = Classes::new(classifier.classes(), file.json(CLASS_NAMES));
    predicted(files, (shape, None), &classes, |pixels| {
        classifier.logits_of_pixels(&pixels, shape, [&mean, &std]).map_err(onnx)
    })
}

fn by_safetensors(
    model: &Path,
    device: Choice,
    files: &[PathBuf],
) -> Result<Vec<Prediction>, PredictError> {
    let bytes = input::read(model, MOST_WEIGHTS).map_err(|error| {
        PredictError::Network(format!("cannot read {}: {error}", model.display()))
    })?;
    let header = SafeTensors::read_metadata(&bytes);
    let (_, header) = header.map_err(|_| {
        problem(model, "is neither ONNX (.onnx) nor a safetensors file of `takd export`")
    })?;
    let words = header.metadata().clone().unwrap_or_default();
    let layers: Vec<String> = field(&words, "layers", model)?;
    let [channels, height, width]: [usize; 3] = field(&words, "input", model)?;
    let classes: usize = field(&words, "classes", model)?;
    let [mean, std]: [Vec<f64>; 2] = [field(&words, "mean", model)?, field(&words, "std", model)?];
    if mean.len() != channels || std.len() != channels {
        return Err(problem(model, "says mean and std for another number of channels"));
    }
    let shape = Shape { channels, height, width };
    let net = Architecture::read(&layers, shape, classes, &Kinds::default());
    let net = net.map_err(|why| problem(model, why))?;
    let device = device.select()?;
    let mut network = Network::init(&net, 0, &device.device).with_kernels(device.kernels);
    network.load(read_weights(&bytes)?).map_err(|why| problem(model, why))?;
    let classes = Classes::new(classes, said(&words, CLASS_NAMES));
    predicted(files, (shape, None), &classes, |pixels| {
        let images = scaled(&pixels, shape, shape, &mean, &std);
        let logits = logits_of(&network, images, shape, &device);
        logits.map_err(|error| PredictError::Network(error.to_string()))
    })
}

/// A field of the card in a file's metadata, if it is there.
fn said<T: DeserializeOwned>(words: &HashMap<String, String>, name: &str) -> Option<T> {
    words.get(name).and_then(|word| serde_json::from_str(word).ok())
}

/// A field that must be there.
fn field<T: DeserializeOwned>(
    words: &HashMap<String, String>,
    name: &str,
    model: &Path,
) -> Result<T, PredictError> {
    said(words, name).ok_or_else(|| {
        problem(model, format!("does not say `{name}` in its metadata: `takd export` writes it"))
    })
}
