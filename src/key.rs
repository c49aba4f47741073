//! The key of an artifact: blake3 over everything that decides its content.
//!
//! | hashed | of | not hashed |
//! |---|---|---|
//! | [`KEY_VERSION`], the kind of artifact, the numeric precision | all | the node's name, where its table stands, comments |
//! | the network's layers, input shape and class count | train, distill, import | names of nets, recipes, data sets, pipelines |
//! | the recipe: epochs, batch size, optimizer, schedule, warm-up, augmentation, selection | train, distill | paths of data files and of weights, and how they are packed |
//! | the epoch, of a network at one (`t@40`) | train, distill | |
//! | the objective under its kind's name, its fields that are not at their default; of a list each term | distill | device, backend, CPU kind, threads, `--jobs` |
//! | all networks that learn from one another, and which of them it is | train, of such a network | |
//! | the seed | train, distill | time, host, versions of takd and burn |
//! | the digest of the file of weights, and which state_dict | import | log level, progress, tables, figures |
//! | the digest of the training images | train, distill, logits; eval of a split of theirs, in 8 bits, or where mean and deviation are measured on them | the other part of the data |
//! | the digest of the test images | eval of the test split; train and distill that select by it (`best-test`) | |
//! | how many images are held out | train, distill, logits; eval of the train or validation split | |
//! | normalisation, and the size of images in folders | train, distill, logits, eval | |
//! | whether softness is measured, and against another network | eval, where it is asked | |
//! | whether it is measured in 8 bits, too, and the largest whole number of a weight then | eval, where it is asked | |
//! | the split, and τ of the second entropy | eval (of logits, the train split) | |
//! | the parents' keys | distill (its teachers), logits and eval (their network; with `agreement` its teacher, and what it is set `against`) | |
//! | how much of its teachers' logits is stored, where that is not all | distill, logits | |
//! | of a teacher in a file its content, and how images come to it: size, mean, deviation | distill, logits | the file's path |
//! | what each of several teachers counts | distill, where it is said | |
//!
//! A part's digest covers the format, which part it is, the class names of a folder, and each file's
//! name and content in order (`dataset/part.rs`). An eval of a trained network could
//! leave out what its parent's key holds already; it is written all the same, because an imported
//! network's key holds no data: its weights and layers alone decide its bytes.
//!
//! A field at its default is left out of what is hashed, and an absent one is read as its default
//! (`dataset/defaults.rs`, `key/recipe.rs`, the tables of the kinds), so that a takd with more fields still reaches the entries of one with
//! fewer. −0.0 is hashed as 0.0, and `5` and `5.0` are one number, since fields have types.
//!
//! What is not hashed but could matter (device, CPU kind, burn's version, host) is provenance: it is
//! written into the entry's manifest.

mod data;
mod logits;
mod mutual;
mod net;
mod outside;
mod recipe;
mod softness;
mod tasks;

pub use data::DataInputs;
pub use mutual::MutualInputs;
pub use net::NetInputs;
pub use outside::OutsideInputs;
pub use recipe::RecipeInputs;
pub use softness::Softness;
pub use tasks::{keys, keys_for};

use crate::{
    dataset::{Split, defaults},
    graph::{Graph, Task},
    keep::Keep,
    kind::Chosen,
    kinds::Kinds,
    onnx::LARGEST_WEIGHT,
    pipeline::{How, Work},
    recipe::Select,
};
use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    ser::{CompactFormatter, Formatter},
};
use std::{fmt, io, str::FromStr};

/// Raised whenever the same inputs would give other bytes: it makes every old key unreachable.
pub const KEY_VERSION: u32 = 5;

/// 32 bytes, written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Key([u8; 32]);

/// Text that is not a key.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a key: expected 64 hex digits")]
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
    /// A network trained on labels, or beside others.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
}

/// Everything that decides an artifact's content. Its JSON is what is hashed.
///
/// An absent field means that the kind has no such input, or that it is at its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyInputs {
    /// [`KEY_VERSION`] of the takd that made it.
    pub version: u32,
    /// What is made.
    pub kind: Kind,
    /// Layers, input shape and classes of the trained network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<NetInputs>,
    /// How it is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<RecipeInputs>,
    /// After how many epochs a training is looked at; absent where its recipe says which weights are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<usize>,
    /// What is minimised; absent for cross entropy with the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Chosen>,
    /// The networks that learn from one another, and which of them it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutual: Option<MutualInputs>,
    /// What each of several teachers counts in their mean; absent where they count alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher_weights: Option<Vec<f64>>,
    /// The teacher that is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<OutsideInputs>,
    /// How much is stored of the teachers' logits; absent where all is, in 32 bits.
    #[serde(default, skip_serializing_if = "Keep::is_default")]
    pub keep: Keep,
    /// blake3 of the file that weights are imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Which of that file's state_dicts, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Images, hold-out and normalisation; nothing of an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataInputs>,
    /// Which images are measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// τ of an evaluation's second entropy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// What is asked of an evaluation's softness; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub softness: Option<Softness>,
    /// Of an evaluation that measures the network in 8 bits, too: the largest whole number of its weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int8: Option<u8>,
    /// Seed of a training's weights and order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Keys of the artifacts that are read, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Key>,
    /// Number format.
    #[serde(default, skip_serializing_if = "Precision::is_default")]
    pub precision: Precision,
}

impl Precision {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// JSON as it is hashed: compact, and −0.0 is 0.0.
struct Hashed;

impl Formatter for Hashed {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        CompactFormatter.write_f64(writer, value + 0.0)
    }
}

impl KeyInputs {
    /// The key of these inputs.
    pub fn key(&self) -> Key {
        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut json, Hashed);
        self.serialize(&mut serializer).expect("plain data with string keys is always JSON");
        Key(*blake3::Hasher::new_derive_key("takd 2026-11 artifact key")
            .update(&json)
            .finalize()
            .as_bytes())
    }

    /// As JSON with every default filled in, for people and for comparisons.
    pub fn in_full(&self, kinds: &Kinds) -> Value {
        fn fill(value: &mut Value, path: &str, kinds: &Kinds) {
            let Value::Object(fields) = value else { return };
            for (name, value) in fields {
                let inner_path =
                    if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if let Value::Object(inner) = value {
                    let recipe = if inner_path == "recipe" { &recipe::defaults()[..] } else { &[] };
                    for (field, default) in
                        defaults::group(name).into_iter().chain(recipe.iter().cloned())
                    {
                        inner.entry(field).or_insert(default);
                    }
                    for field in kinds.table(path, name).unwrap_or_default() {
                        if let Some(default) = field.default {
                            inner.entry(field.name).or_insert_with(|| default.json());
                        }
                    }
                }
                fill(value, &inner_path, kinds);
            }
        }
        let value = serde_json::to_value(self);
        let mut value = value.expect("plain data with string keys is always JSON");
        fill(&mut value, "", kinds);
        value
    }

    /// Nothing but what is made.
    fn of(kind: Kind) -> Self {
        Self {
            version: KEY_VERSION,
            kind,
            net: None,
            recipe: None,
            epoch: None,
            objective: None,
            mutual: None,
            teacher_weights: None,
            outside: None,
            keep: Keep::default(),
            weights: None,
            from: None,
            data: None,
            split: None,
            temperature: None,
            softness: None,
            int8: None,
            seed: None,
            parents: Vec::new(),
            precision: Precision::F32,
        }
    }

    /// Inputs of `task`, whose parents' keys are known.
    fn of_task(graph: &Graph<'_>, task: &Task, parents: Vec<Key>) -> Self {
        match &graph.pipeline.nodes[task.node].work {
            Work::Learn(learn) => Self {
                net: Some(NetInputs::from(&learn.net)),
                recipe: learn.recipe().map(RecipeInputs::from),
                epoch: learn.until,
                objective: match &learn.how {
                    How::Train(_, loss) => {
                        Some(loss.chosen().clone()).filter(|loss| loss.kind != "cross_entropy")
                    }
                    How::Distill(_, teacher) => Some(teacher.objective.chosen().clone()),
                    How::Mutual(_, mutual) => Some(mutual.objective.chosen().clone()),
                    How::Import(_) => None,
                },
                mutual: learn.mutual().map(MutualInputs::from),
                teacher_weights: learn.teacher().and_then(|teacher| teacher.weights.clone()),
                outside: learn.teacher().and_then(|t| t.outside.as_ref()).map(OutsideInputs::from),
                keep: learn.teacher().map(|teacher| teacher.keep).unwrap_or_default(),
                weights: match &learn.how {
                    How::Import(weights) => Some(weights.digest.clone()),
                    How::Train(..) | How::Distill(..) | How::Mutual(..) => None,
                },
                from: match &learn.how {
                    How::Import(weights) => weights.from.clone(),
                    How::Train(..) | How::Distill(..) | How::Mutual(..) => None,
                },
                data: learn.recipe().map(|recipe| match recipe.select {
                    Select::BestTest => DataInputs::of(&learn.data, &[Split::Train, Split::Test]),
                    Select::BestValidation | Select::Last => {
                        DataInputs::of(&learn.data, &[Split::Train])
                    }
                }),
                // Imported weights are the same for every seed: one artifact.
                seed: learn.recipe().map(|_| task.seed),
                parents,
                ..Self::of(match learn.how {
                    How::Train(..) | How::Mutual(..) => Kind::Train,
                    How::Distill(..) => Kind::Distill,
                    How::Import(_) => Kind::Import,
                })
            },
            Work::Eval(eval) => Self {
                data: Some({
                    let (data, split) = (&graph.pipeline.learn(eval.of).data, eval.split);
                    // 8 bits are calibrated on training images.
                    let splits = if eval.int8 { &[split, Split::Train][..] } else { &[split] };
                    DataInputs::of(data, splits)
                }),
                split: Some(eval.split),
                temperature: Some(eval.temperature),
                softness: Softness::of(eval),
                int8: eval.int8.then_some(LARGEST_WEIGHT),
                parents,
                ..Self::of(Kind::Eval)
            },
        }
    }
}
