//! What a training writes of each epoch, and a report reads: JSON, one line an epoch.

use serde::{Deserialize, Serialize};

/// Its file in an entry.
pub const FILE: &str = "metrics.jsonl";

/// One line of a training's history. It holds no time: a history is the same on every run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Learning rate throughout the epoch.
    pub lr: f64,
    /// Mean objective over the training samples, as the weights moved.
    pub loss: f64,
    /// Top-1 accuracy on the eval split after the epoch, in [0, 1].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accuracy: Option<f64>,
    /// Top-1 accuracy on the training samples, as the weights moved, in [0, 1]; early versions of
    /// takd did not count it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub train_accuracy: Option<f64>,
    /// τ after the epoch, of an objective that trains it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f64>,
    /// Whether every image of the last batch got the same logits: the network is dead.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub constant: bool,
}

/// The file's content.
pub fn write(history: &[EpochRecord]) -> Vec<u8> {
    let line = |record| serde_json::to_string(record).expect("plain data is always JSON") + "\n";
    history.iter().map(line).collect::<String>().into_bytes()
}

/// The epochs of a training, in order.
///
/// # Errors
/// [`serde_json::Error`] for a line that is not a record.
pub fn read(bytes: &[u8]) -> Result<Vec<EpochRecord>, serde_json::Error> {
    serde_json::Deserializer::from_slice(bytes).into_iter().collect()
}
