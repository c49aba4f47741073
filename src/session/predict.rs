//! What a trained network says of pictures.

use super::Session;
use crate::{
    dataset::{DataError, Fit, Normalisation, Presence, read_picture},
    graph::{Graph, SelectError},
    key::{Key, keys},
    metric,
    node::{Choice, DeviceError, FileError, NetworkError, WEIGHTS, logits_of, trained_network},
    onnx::scaled,
    pipeline::{Learn, Work},
    shape::Shape,
    store::{Depth, Entry, Lookup, StoreError},
};
use std::path::PathBuf;

/// The classes of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The file.
    pub file: PathBuf,
    /// The most probable first.
    pub classes: Vec<Likely>,
}

/// A class of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    /// Counted from 0.
    pub class: usize,
    /// What people call it, where that is known.
    pub name: Option<String>,
    /// By the softmax over all.
    pub probability: f64,
    /// What the network gives.
    pub logit: f32,
}

/// Why nothing was predicted.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// A NODE that names nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A NODE that names several networks, or one that is not trained yet.
    #[error("{0}")]
    Node(String),
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A device that does not exist.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A picture, or the images that mean and deviation are measured on.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network in the cache.
    #[error("the network in the cache cannot be used: {0}")]
    Entry(#[from] NetworkError),
    /// Its weights.
    #[error("the weights in the cache cannot be used: {0}")]
    Weights(#[from] FileError),
    /// The network's logits, or its form.
    #[error("the network cannot be used: {0}")]
    Network(String),
}

impl Session {
    /// The one trained network that `node` means: its task and its entry.
    ///
    /// # Errors
    /// [`PredictError`] if it means none or several, or one that is not in the cache.
    pub fn trained(&self, graph: &Graph<'_>, node: &str) -> Result<(usize, Entry), PredictError> {
        let mut tasks = graph.select(&[node.to_owned()])?;
        let is_learn = |task: &usize| {
            matches!(graph.pipeline.nodes[graph.tasks[*task].node].work, Work::Learn(_))
        };
        tasks.retain(is_learn);
        let keys: Vec<Key> = keys(graph).into_iter().map(|(_, key)| key).collect();
        tasks.dedup_by_key(|task| keys[*task]);
        let task = match tasks.as_slice() {
            [task] => *task,
            [] => {
                let why = "it names what is measured, and no network".to_owned();
                return Err(SelectError::NoMatch(node.to_owned(), why).into());
            }
            many => {
                let names: Vec<String> = many.iter().map(|&task| graph.name(task)).collect();
                let problem = format!("`{node}` means {}: name one", names.join(", "));
                return Err(PredictError::Node(problem));
            }
        };
        match self.store.find(&keys[task], Depth::Manifest)? {
            Lookup::Whole(entry) => Ok((task, *entry)),
            Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => {
                let name = graph.name(task);
                Err(PredictError::Node(format!("{name} is not in the cache: `takd run` makes it")))
            }
        }
    }

    /// What the network of `node` says of the pictures in `files`, each as its training images were.
    ///
    /// # Errors
    /// [`PredictError`] if there is no such network, or a picture cannot be read.
    pub fn predict(
        &self,
        node: &str,
        device: Choice,
        files: &[PathBuf],
    ) -> Result<Vec<Prediction>, PredictError> {
        let graph = self.graph();
        let (task, entry) = self.trained(&graph, node)?;
        let learn = graph.learn(task);
        let [mean, std] = moments(learn)?.ok_or_else(|| {
            PredictError::Network("mean and deviation of its data set are not known".to_owned())
        })?;
        let device = device.select()?;
        let weights = entry.read(WEIGHTS)?;
        let (net, network) = trained_network(&entry, &weights, &self.pipeline.kinds, &device)?;
        let (shape, fit) = (learn.data.info.shape, learn.data.format.fit());
        let classes = Classes::new(net.classes(), learn.data.format.class_labels());
        predicted(files, (shape, fit), &classes, |pixels| {
            let images = scaled(&pixels, shape, shape, &mean, &std);
            let logits = logits_of(&network, images, shape, &device);
            logits.map_err(|error| PredictError::Network(error.to_string()))
        })
    }
}

/// How many classes a network tells apart, and what people call them, where that is known.
pub(super) struct Classes {
    count: usize,
    names: Vec<String>,
}

impl Classes {
    /// Names that are not as many as the classes are none.
    pub fn new(count: usize, names: Option<Vec<String>>) -> Self {
        Self { count, names: names.filter(|names| names.len() == count).unwrap_or_default() }
    }
}

/// Pictures that are in memory together.
const TOGETHER: usize = 64;

/// What `answer` says of pictures, given their pixels between 0 and 1, some images one behind another.
pub(super) fn predicted(
    files: &[PathBuf],
    (shape, fit): (Shape, Option<Fit>),
    classes: &Classes,
    answer: impl Fn(Vec<f32>) -> Result<Vec<f32>, PredictError>,
) -> Result<Vec<Prediction>, PredictError> {
    let mut found = Vec::with_capacity(files.len());
    for files in files.chunks(TOGETHER) {
        let mut pixels = Vec::with_capacity(files.len() * shape.size());
        for file in files {
            let bytes = read_picture(file, shape, fit)?;
            pixels.extend(bytes.into_iter().map(|byte| f32::from(byte) / 255.0));
        }
        let logits = answer(pixels)?;
        for (file, logits) in files.iter().zip(logits.chunks_exact(classes.count)) {
            if !logits.iter().all(|logit| logit.is_finite()) {
                let problem = format!("NaN or infinite logits for {}", file.display());
                return Err(PredictError::Network(problem));
            }
            found.push(prediction(file.clone(), logits, &classes.names));
        }
    }
    Ok(found)
}

fn prediction(file: PathBuf, logits: &[f32], names: &[String]) -> Prediction {
    let shares = metric::log_softmax(logits, 1.0).into_iter().map(f64::exp);
    let likely = |(class, (probability, &logit))| {
        let name = names.get(class).cloned();
        Likely { class, name, probability, logit }
    };
    let mut classes: Vec<Likely> = shares.zip(logits).enumerate().map(likely).collect();
    // Of equal ones the lower class, as in accuracies.
    classes.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    Prediction { file, classes }
}

/// Mean and deviation that its images are normalised with, if they can be known here.
pub(super) fn moments(learn: &Learn) -> Result<Option<[Vec<f64>; 2]>, PredictError> {
    match &learn.data.normalisation {
        Normalisation::Given { mean, std } => Ok(Some([mean.clone(), std.clone()])),
        Normalisation::Measured if learn.data.info.presence == Presence::Here => {
            let dataset = learn.data.format.load()?;
            let (mean, std) = dataset.moments(&learn.data.normalisation)?;
            Ok(Some([mean, std]))
        }
        Normalisation::Measured => Ok(None),
    }
}
