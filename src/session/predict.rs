//! What a trained network says of pictures.

use super::Session;
use crate::{
    dataset::{DataError, Images, Part, Split, View, read_picture},
    graph::{Graph, SelectError},
    key::{Key, keys},
    metric,
    node::{Choice, DeviceError, FileError, NetworkError, trained_network},
    pipeline::Work,
    store::{Depth, Entry, Lookup, StoreError},
    training::{InferError, infer},
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likely {
    /// Counted from 0.
    pub class: usize,
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
        let (shape, fit) = (learn.data.info.shape, learn.data.format.fit());
        let mut pixels = Vec::with_capacity(files.len() * shape.size());
        for file in files {
            pixels.extend(read_picture(file, shape, fit)?);
        }
        let mut dataset = learn.data.format.load()?;
        dataset.measure(&learn.data.normalisation, &|| false)?;
        dataset.test = Part { images: Images::Bytes(pixels), labels: vec![0; files.len()] };
        let device = device.select()?;
        let (net, network) = trained_network(&entry, &self.pipeline.kinds, &device)?;
        let view = View::new(&dataset, &learn.data, Split::Test, &device.device)?;
        let logits = infer(&network, &view).map_err(|error| match error {
            InferError::Data(error) => PredictError::Data(error),
            other => PredictError::Network(other.to_string()),
        })?;
        let rows = logits.chunks_exact(net.classes());
        Ok(files.iter().zip(rows).map(|(file, logits)| prediction(file.clone(), logits)).collect())
    }
}

pub(super) fn prediction(file: PathBuf, logits: &[f32]) -> Prediction {
    let shares = metric::log_softmax(logits, 1.0).into_iter().map(f64::exp);
    let likely = |(class, (probability, &logit))| Likely { class, probability, logit };
    let mut classes: Vec<Likely> = shares.zip(logits).enumerate().map(likely).collect();
    // Of equal ones the lower class, as in accuracies.
    classes.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    Prediction { file, classes }
}
