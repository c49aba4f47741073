//! The key of an artifact: blake3 over everything that decides its content.
//!
//! | hashed | not hashed |
//! |---|---|
//! | [`KEY_VERSION`] | the node's name, its table's place, comments |
//! | the kind of artifact | names of nets, recipes, data sets, pipelines |
//! | the network's layers, input shape and class count | paths of data files |
//! | the recipe: epochs, batch size, optimizer, schedule, warm-up, augmentation, selection | device, backend, threads, `--jobs` |
//! | the objective: τ, λ and reduction | time, host, versions of takd and burn |
//! | the data's digest, hold-out, normalisation and size of images | log level, progress, tables |
//! | the split and τ of an evaluation | |
//! | the seed of a training | |
//! | the digest of a file of weights | |
//! | the parents' keys | |
//! | the numeric precision | |
//!
//! What is not hashed but could matter (device, burn's version, host) is provenance: it is written
//! into the entry's manifest.

use crate::{
    config::{Data, Fit, Format, Kd, Net, Normalisation, Recipe, Split},
    graph::{Graph, Task},
    spec::{How, Work},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Raised whenever the same inputs would give other bytes: it makes every old key unreachable.
pub const KEY_VERSION: u32 = 4;

/// 32 bytes, written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Key([u8; 32]);

/// Text that is no key.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no key: expected 64 hex digits")]
pub struct KeyError(String);

impl Key {
    /// The first 12 hex digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        let hash = blake3::Hash::from_hex(text).ok().filter(|_| !upper);
        hash.map(|hash| Self(*hash.as_bytes())).ok_or_else(|| KeyError(text.to_owned()))
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

/// What kind of artifact a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A network trained on labels.
    Train,
    /// A network trained on a teacher and labels.
    Distill,
    /// A network whose weights were read from a file.
    Import,
    /// A trained network's logits over its training split.
    Logits,
    /// Metrics of a trained network.
    Eval,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Distill => "distill",
            Self::Import => "import",
            Self::Logits => "logits",
            Self::Eval => "eval",
        })
    }
}

/// Number format of weights and arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    F32,
}

/// Everything that decides an artifact's content. Its JSON is what is hashed.
///
/// An absent field means that the kind has no such input, never a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyInputs {
    /// [`KEY_VERSION`] of the takd that made it.
    pub version: u32,
    /// What is made.
    pub kind: Kind,
    /// Layers, input shape and classes of the trained network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Net>,
    /// How it is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// What a distillation minimises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Kd>,
    /// blake3 of the file that weights are imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Images, hold-out and normalisation.
    pub data: DataInputs,
    /// Which images are measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// τ of an evaluation's second entropy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Seed of a training's weights and order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Keys of the artifacts that are read, in order.
    pub parents: Vec<Key>,
    /// Number format.
    pub precision: Precision,
}

/// The part of a data set's configuration that decides results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataInputs {
    /// blake3 of the files.
    pub digest: String,
    /// Images held out.
    pub validation: usize,
    /// How pixels become numbers.
    pub normalisation: Normalisation,
    /// How images of any size become images of one size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
}

impl From<&Data> for DataInputs {
    fn from(data: &Data) -> Self {
        let Data { validation, normalisation, info, format } = data;
        let (digest, normalisation) = (info.digest.clone(), normalisation.clone());
        let fit = match format {
            Format::Folder(folder) => Some(folder.fit),
            Format::FashionMini | Format::Idx(_) | Format::Cifar(_) => None,
        };
        Self { digest, validation: *validation, normalisation, fit }
    }
}

impl KeyInputs {
    /// The key of these inputs.
    pub fn key(&self) -> Key {
        let json = serde_json::to_vec(self).expect("plain data with string keys is always JSON");
        Key(*blake3::Hasher::new_derive_key("takd 2026-11 artifact key")
            .update(&json)
            .finalize()
            .as_bytes())
    }

    /// Inputs of the logits that the network under `teacher` gives over its training split.
    pub fn logits(teacher: Key, data: DataInputs) -> Self {
        Self {
            version: KEY_VERSION,
            kind: Kind::Logits,
            net: None,
            recipe: None,
            objective: None,
            weights: None,
            data,
            split: Some(Split::Train),
            temperature: None,
            seed: None,
            parents: vec![teacher],
            precision: Precision::F32,
        }
    }

    /// Inputs of the teacher's logits that a distillation reads; `None` for any other kind.
    pub fn teacher_logits(&self) -> Option<Self> {
        let teacher = *self.parents.first()?;
        self.objective.map(|_| Self::logits(teacher, self.data.clone()))
    }

    /// Inputs of `task`, whose parents' keys are known.
    fn of(graph: &Graph<'_>, task: &Task, parents: Vec<Key>) -> Self {
        match &graph.pipeline.nodes[task.node].work {
            Work::Learn(learn) => Self {
                version: KEY_VERSION,
                kind: match learn.how {
                    How::Train(_) => Kind::Train,
                    How::Distill(..) => Kind::Distill,
                    How::Import(_) => Kind::Import,
                },
                net: Some(learn.net.clone()),
                recipe: learn.recipe().cloned(),
                objective: learn.teacher().map(|teacher| teacher.kd),
                weights: match &learn.how {
                    How::Import(weights) => Some(weights.digest.clone()),
                    How::Train(_) | How::Distill(..) => None,
                },
                data: DataInputs::from(&*learn.data),
                split: None,
                temperature: None,
                // Imported weights are the same for every seed: one artifact.
                seed: learn.recipe().map(|_| task.seed),
                parents,
                precision: Precision::F32,
            },
            Work::Eval(eval) => Self {
                version: KEY_VERSION,
                kind: Kind::Eval,
                net: None,
                recipe: None,
                objective: None,
                weights: None,
                data: DataInputs::from(&*graph.pipeline.learn(eval.of).data),
                split: Some(eval.split),
                temperature: Some(eval.temperature),
                seed: None,
                parents,
                precision: Precision::F32,
            },
        }
    }
}

/// Each task's inputs and key, in the order of `graph.tasks`.
pub fn keys(graph: &Graph<'_>) -> Vec<(KeyInputs, Key)> {
    let mut keys: Vec<Option<(KeyInputs, Key)>> = graph.tasks.iter().map(|_| None).collect();
    for &place in graph.dag.order() {
        let parents = graph.dag.parents(place).iter();
        let parents = parents.map(|&parent| keys[parent].as_ref().map(|(_, key)| *key));
        let parents = parents.collect::<Option<_>>().expect("the order puts parents first");
        let inputs = KeyInputs::of(graph, &graph.tasks[place], parents);
        let key = inputs.key();
        keys[place] = Some((inputs, key));
    }
    keys.into_iter().map(|key| key.expect("the order holds every task")).collect()
}
