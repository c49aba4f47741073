//! A trained network to take out: its weights, and what whoever uses them has to know.

use super::{PredictError, Session, predict::moments};
use crate::{
    architecture::Architecture,
    dataset::{Data, Split, View},
    network::Network,
    node::{Choice, WEIGHTS, int8, label_weights, trained_network},
    onnx::{NORMALISED, PIXELS, Pixels, RAW},
    pytorch::write_state_dict,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// A network and its card.
pub struct Exported {
    /// Itself.
    network: Network,
    net: Architecture,
    data: Arc<Data>,
    /// The task that trained it: `student@31`.
    pub name: String,
    /// As safetensors under PyTorch's names, the card in their metadata.
    pub weights: Vec<u8>,
    /// What there is to know.
    pub card: Card,
}

impl Exported {
    /// It in the ONNX format, the card in its metadata. With `raw` pixels it normalises them itself; `folds`
    /// puts BatchNorms into the convolutions before them.
    ///
    /// # Errors
    /// [`PredictError::Network`] if mean and deviation are not known, or it has a layer of somebody's own.
    pub fn onnx(&self, raw: bool, folds: bool) -> Result<Vec<u8>, PredictError> {
        let (pixels, metadata) = self.form(raw)?;
        let made = self.network.onnx(&self.net, &pixels, folds, &metadata);
        made.map_err(|problem| PredictError::Network(format!("{} {problem}", self.name)))
    }

    /// The same in 8 bits, calibrated on training images.
    ///
    /// # Errors
    /// As [`onnx`](Self::onnx), and if the training images cannot be read.
    pub fn int8(&self, raw: bool) -> Result<Vec<u8>, PredictError> {
        let (pixels, metadata) = self.form(raw)?;
        let dataset = self.data.format.load()?;
        dataset.measure(&self.data.normalisation, &|| false)?;
        let device = Choice::Cpu.select()?;
        let train = View::new(&dataset, &self.data, Split::Train, &device.device)?;
        let made = int8(&self.network, &self.net, &pixels, &metadata, &train);
        made.map_err(|problem| PredictError::Network(problem.to_string()))
    }

    fn form(&self, raw: bool) -> Result<(Pixels, BTreeMap<String, String>), PredictError> {
        let pixels = if raw { self.raw()? } else { Pixels::Normalised };
        let mut metadata = self.card.metadata();
        metadata.remove("format");
        let said = if raw { RAW } else { NORMALISED };
        metadata.insert(PIXELS.to_owned(), said.to_owned());
        Ok((pixels, metadata))
    }

    /// Its tensors as `torch.save` writes a state_dict.
    pub fn state_dict(&self) -> Vec<u8> {
        write_state_dict(&self.network.save())
    }

    fn raw(&self) -> Result<Pixels, PredictError> {
        let f32s = |values: &Vec<f64>| values.iter().map(|&value| value as f32).collect();
        let moments = self.card.mean.as_ref().map(f32s).zip(self.card.std.as_ref().map(f32s));
        let (mean, std) = moments.ok_or_else(|| {
            let problem = "its data set is not here to measure mean and deviation on, which the graph \
                           would normalise with: fetch it, or export with `--pixels normalised`";
            PredictError::Network(problem.to_owned())
        })?;
        Ok(Pixels::Raw { mean, std })
    }
}

/// What whoever uses a network has to know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card {
    /// The version of takd that took it out.
    pub takd: String,
    /// The node.
    pub node: String,
    /// The entry's key: what it was made from is in the cache under it.
    pub key: String,
    /// The network's name.
    pub net: String,
    /// Its layers, as a pipeline would have them.
    pub layers: Vec<String>,
    /// Shape of an image: channels, height, width.
    pub input: [usize; 3],
    /// Length of its logits.
    pub classes: usize,
    /// What people call the classes, in the order of the logits; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
    /// Trained parameters.
    pub parameters: usize,
    /// Pixels p in 0..=255 become (p/255 − mean) / std, a channel at a time; absent where the data set is not
    /// here to measure them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Vec<f64>>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f64>>,
}

impl Card {
    /// Each field as text, for the metadata of safetensors.
    fn metadata(&self) -> BTreeMap<String, String> {
        let value = serde_json::to_value(self).expect("plain data with string keys is always JSON");
        let fields = value.as_object().cloned().unwrap_or_default();
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let fields = fields.into_iter().map(|(name, value)| (name, text(value)));
        // What Hugging Face's loaders ask for: the tensors are as PyTorch has them.
        fields.chain([("format".to_owned(), "pt".to_owned())]).collect()
    }
}

impl Session {
    /// The trained network that `node` means.
    ///
    /// # Errors
    /// [`PredictError`] if it means none or several, it is not in the cache, or its data set is here and
    /// cannot be read.
    pub fn export(&self, node: &str) -> Result<Exported, PredictError> {
        let graph = self.graph();
        let (task, entry) = self.trained(&graph, node)?;
        let (name, learn) = (graph.name(task), graph.learn(task));
        let (mean, std) = moments(learn)?.map(|[mean, std]| (mean, std)).unzip();
        let input = learn.net.input();
        let card = Card {
            takd: env!("CARGO_PKG_VERSION").to_owned(),
            node: name.clone(),
            key: entry.manifest.inputs.key().to_string(),
            net: learn.net_name.clone(),
            layers: learn.net.texts(),
            input: [input.channels, input.height, input.width],
            classes: learn.net.classes(),
            class_names: learn.data.format.class_labels(),
            parameters: learn.net.parameters(),
            mean,
            std,
        };
        let device = Choice::Cpu.select()?;
        let weights = entry.read(WEIGHTS)?;
        let (net, network) = trained_network(&entry, &weights, &self.pipeline.kinds, &device)?;
        let weights = label_weights(&weights, &card.metadata())?;
        let data = learn.data.clone();
        Ok(Exported { network, net, data, name, weights, card })
    }

    /// The accuracy of the network that `node` means in each table that shows it: `student: 83.10 % on the test
    /// split`.
    ///
    /// # Errors
    /// As [`export`](Self::export).
    pub fn results_of(&self, node: &str) -> Result<Vec<String>, PredictError> {
        let graph = self.graph();
        let (task, _) = self.trained(&graph, node)?;
        let own = &self.pipeline.nodes[graph.tasks[task].node].name;
        let mut results = Vec::new();
        for table in self.report()?.tables {
            for row in table.rows {
                let ours = row.ours.filter(|ours| ours.node == *own);
                let seed = graph.tasks[task].seed;
                let found = ours.and_then(|ours| ours.seeds.into_iter().find(|s| s.seed == seed));
                if let Some(metrics) = found.and_then(|seed| seed.metrics) {
                    let (top1, split) = (metrics.top1() * 100.0, table.split.name());
                    results.push(format!("{}: {top1:.2} % on the {split} split", row.label));
                }
            }
        }
        Ok(results)
    }
}
