//! What an entry says of itself.

use crate::{
    key::{Key, KeyInputs},
    metric::Metrics,
    recipe::OnCollapse,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// File with the manifest, and file with the manifest's digest.
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const MANIFEST_DIGEST: &str = "manifest.blake3";

/// Content of [`MANIFEST_DIGEST`] for a manifest.
pub(super) fn digest_line(manifest: &[u8]) -> Vec<u8> {
    format!("{}\n", blake3::hash(manifest).to_hex()).into_bytes()
}

/// An entry's `manifest.json`. Only its inputs refuse fields that are not known here: those would be
/// part of the key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The key's inputs in full; their hash is the entry's name.
    pub inputs: KeyInputs,
    /// Every other file of the entry.
    pub files: BTreeMap<String, FileDigest>,
    /// What came out.
    pub outcome: Outcome,
    /// Where and with what it was made; no part of the key.
    pub provenance: Provenance,
}

/// What a file must contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Length.
    pub bytes: u64,
    /// blake3 in hex.
    pub blake3: String,
}

/// The numbers that a node gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "made", rename_all = "lowercase")]
pub enum Outcome {
    /// A trained network.
    Network {
        /// Trained parameters.
        parameters: usize,
        /// Epoch that the weights come from, counted from 1; nothing for imported ones.
        selected_epoch: Option<usize>,
        /// Epoch after which the training was seen to learn nothing any more, counted from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collapsed_epoch: Option<usize>,
        /// Wall time of the training.
        seconds: f64,
    },
    /// Logits for students.
    Logits {
        /// Rows.
        samples: usize,
        /// Wall time.
        seconds: f64,
    },
    /// A measurement.
    Metrics {
        /// The numbers.
        metrics: Metrics,
        /// Wall time.
        seconds: f64,
    },
}

impl Outcome {
    /// Wall time of the making.
    pub fn seconds(&self) -> f64 {
        match self {
            Self::Network { seconds, .. }
            | Self::Logits { seconds, .. }
            | Self::Metrics { seconds, .. } => *seconds,
        }
    }
}

/// Circumstances of an entry's making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of takd.
    pub takd: String,
    /// Version of burn.
    pub burn: String,
    /// Device: `cpu`, `cuda:0`, `wgpu:0`.
    pub device: String,
    /// Kind of CPU, where that computed: kinds give other last bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Threads of the training, on the CPU.
    pub threads: usize,
    /// Name of the machine.
    pub host: String,
    /// Seconds since 1970 when the entry was finished.
    pub finished: u64,
    /// Name of the node that made it, for people.
    pub node: String,
    /// What would have become of a training that learns nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_collapse: Option<OnCollapse>,
}

/// Largest file that tables and pictures read: curves and counts, no weights.
const SMALL: u64 = 1 << 20;

impl Manifest {
    /// Its files that tables and pictures read, whose entry may be elsewhere or gone.
    pub(crate) fn for_tables(&self) -> impl Iterator<Item = (&String, &FileDigest)> {
        self.files.iter().filter(|(name, file)| {
            file.bytes <= SMALL && (name.ends_with(".json") || name.ends_with(".jsonl"))
        })
    }

    /// The entry's key.
    pub fn key(&self) -> Key {
        self.inputs.key()
    }
}
