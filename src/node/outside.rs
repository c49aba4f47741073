//! A teacher in a file: its logits over the training images, made once or read.

use super::{
    failure::data as data_error,
    files::{LOGITS, read_given, read_logits, write_logits},
    runner::Job,
};
use crate::{
    dataset::{Data, View},
    executor::StepError,
    input,
    key::KeyInputs,
    onnx::{Classifier, OnnxError, OnnxFile},
    pipeline::Outside,
    shape::Shape,
    store::{KeyLock, Outcome},
    tensors::host,
    training::{Classify, InferError, Logits},
};
use burn::tensor::Tensor;
use std::path::Path;

/// Largest file of logits: ImageNet's training images by its classes in 64 bits are 10 GB.
const MOST: u64 = 1 << 34;

impl Job<'_> {
    /// The logits of a teacher in a file, made or read if there is a `lock`: then they were not there when the
    /// step was claimed.
    pub(super) fn outside_logits(
        &self,
        outside: &Outside,
        inputs: &KeyInputs,
        (train, data): (&View, &Data),
        lock: Option<KeyLock>,
    ) -> Result<Logits, StepError> {
        if let Some(lock) = lock {
            let (ids, values, seconds) = match outside {
                Outside::Onnx { path, input, mean, std, digest } => {
                    let classifier = self.classifier(path, digest, *input, data)?;
                    let (own_mean, own_std) =
                        self.dataset(data, inputs)?.moments(&data.normalisation)?;
                    let of = [own_mean, own_std];
                    let net = Scaled { classifier, from: train.shape(), of, to: [mean, std] };
                    let (values, clock) =
                        self.pass(&net, data.info.classes, train, &lock, |error| {
                            unusable(path, error)
                        })?;
                    (train.ids.clone(), values, clock.seconds())
                }
                Outside::Logits { path, digest } => {
                    let (ids, values) = given(path, digest, data)?;
                    (ids, values, 0.0)
                }
            };
            let samples = ids.len();
            let file = write_logits(&ids, &values, inputs.keep)?;
            let outcome = Outcome::Logits { samples, seconds };
            self.commit(&lock, inputs, &[(LOGITS, file)], outcome)?;
            self.drop_part(&lock);
        }
        let (_, bytes) = self.read(&inputs.key(), LOGITS)?;
        let logits = read_logits(&bytes)?;
        logits
            .cover(&train.ids)
            .map_err(|error| data_error(format!("{}: {error}", outside.path().display())))?;
        Ok(logits)
    }

    /// The network in a file, which is the one that the run was planned with.
    fn classifier(
        &self,
        path: &Path,
        digest: &str,
        input: Shape,
        data: &Data,
    ) -> Result<Classifier, StepError> {
        let file = OnnxFile::open(path).map_err(data_error)?;
        if file.digest() != digest {
            return Err(changed(path));
        }
        let classifier = Classifier::new(&file, Some(input));
        let classifier = classifier.map_err(data_error)?;
        let (theirs, ours) = (classifier.classes(), data.info.classes);
        if theirs != ours {
            return Err(data_error(format!(
                "{} gives {theirs} logits per image, and the data has {ours} classes",
                path.display()
            )));
        }
        Ok(classifier)
    }
}

/// A network in a file that sees a student's images.
struct Scaled<'a> {
    classifier: Classifier,
    from: Shape,
    /// Mean and deviation that the student's images are normalised with.
    of: [Vec<f64>; 2],
    /// Those that the network wants.
    to: [&'a [f64]; 2],
}

impl Scaled<'_> {
    /// Their pixels between 0 and 1. Pixels are bytes, so that rounding restores them to the bit.
    fn pixels(&self, mut images: Vec<f32>) -> Vec<f32> {
        let plane = self.from.height * self.from.width;
        for (index, pixels) in images.chunks_exact_mut(plane).enumerate() {
            let channel = index % self.from.channels;
            let [mean, std] = [0, 1].map(|moment: usize| self.of[moment][channel]);
            for pixel in pixels {
                let byte = ((f64::from(*pixel) * std + mean) * 255.0).round();
                *pixel = (byte / 255.0) as f32;
            }
        }
        images
    }
}

impl Classify for Scaled<'_> {
    type Error = OutsideError;

    fn together(&self, _: &View) -> usize {
        self.classifier.together()
    }

    fn classify(&self, images: Tensor<4>) -> Result<Vec<f32>, OutsideError> {
        let pixels = self.pixels(host(images));
        Ok(self.classifier.logits_of_pixels(&pixels, self.from, self.to)?)
    }
}

/// A graph of ours, which takes normalised images as they are.
impl Classify for Classifier {
    type Error = OutsideError;

    fn together(&self, _: &View) -> usize {
        Self::together(self)
    }

    fn classify(&self, images: Tensor<4>) -> Result<Vec<f32>, OutsideError> {
        Ok(self.logits(&host(images))?)
    }
}

/// Rows that somebody else has made.
fn given(path: &Path, digest: &str, data: &Data) -> Result<(Vec<u32>, Vec<f32>), StepError> {
    let bytes = input::read(path, MOST)
        .map_err(|error| data_error(format!("cannot read {}: {error}", path.display())))?;
    if blake3::hash(&bytes).to_hex().as_str() != digest {
        return Err(changed(path));
    }
    let rows = read_given(&bytes, data.info.train, data.info.classes);
    rows.map_err(|problem| data_error(format!("{} {problem}", path.display())))
}

fn changed(path: &Path) -> StepError {
    data_error(format!(
        "{} has changed since the run was planned: run again, to plan with what is there now",
        path.display()
    ))
}

/// Why a network in a file gave no logits.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The pass over the images.
    #[error(transparent)]
    Infer(#[from] InferError),
    /// The network.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}

fn unusable(path: &Path, error: OutsideError) -> StepError {
    match error {
        OutsideError::Infer(InferError::Stopped) => StepError::interrupted(),
        OutsideError::Infer(InferError::Data(error)) => error.into(),
        OutsideError::Onnx(error) => data_error(error),
        OutsideError::Infer(error @ InferError::NotFinite { .. }) => data_error(format!(
            "{} gives {error}: look at its mean and std, and at its weights",
            path.display()
        )),
    }
}
