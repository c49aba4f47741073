//! A recipe as it is hashed: fields that are at their default are left out, and absent ones are read
//! as their default, so that a takd with more fields reaches the entries of one with fewer.

use crate::{
    kernels::Precision,
    kind::{Chosen, read_words, words},
    recipe::{BatchnormWeight, Recipe, Select},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A recipe as it is hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeInputs {
    /// Passes over the training split.
    pub epochs: usize,
    /// Samples in one step.
    pub batch_size: usize,
    /// The update rule.
    pub optimizer: Chosen,
    /// The learning rate over the epochs.
    #[serde(default = "constant", skip_serializing_if = "is_constant")]
    pub schedule: Chosen,
    /// Epochs of warm-up.
    #[serde(default, skip_serializing_if = "is_0")]
    pub warmup: usize,
    /// Changes of training images.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "serialize_words",
        deserialize_with = "read_words"
    )]
    pub augment: Vec<Chosen>,
    /// Which epoch is kept; its default depends on the data, so that it is always written.
    pub select: Select,
    /// Initial BatchNorm weights of `conv` layers.
    #[serde(default = "ones", skip_serializing_if = "is_ones")]
    pub batchnorm_weight: BatchnormWeight,
    /// What convolutions multiply.
    #[serde(default, skip_serializing_if = "is_f32")]
    pub precision: Precision,
}

fn constant() -> Chosen {
    Chosen { kind: "constant".to_owned(), fields: Vec::new() }
}

fn is_constant(schedule: &Chosen) -> bool {
    *schedule == constant()
}

fn is_0(number: &usize) -> bool {
    *number == 0
}

fn ones() -> BatchnormWeight {
    BatchnormWeight::Ones
}

fn is_ones(weight: &BatchnormWeight) -> bool {
    *weight == ones()
}

fn is_f32(precision: &Precision) -> bool {
    *precision == Precision::default()
}

fn serialize_words<S: serde::Serializer>(list: &[Chosen], to: S) -> Result<S::Ok, S::Error> {
    words(list, to)
}

/// Names and JSON of the fields that have a default.
pub(super) fn defaults() -> [(&'static str, Value); 5] {
    [
        ("schedule", json!(constant())),
        ("warmup", json!(0)),
        ("augment", json!([])),
        ("batchnorm_weight", json!(ones())),
        ("precision", json!(Precision::default())),
    ]
}

impl From<&Recipe> for RecipeInputs {
    fn from(recipe: &Recipe) -> Self {
        let Recipe { epochs, batch_size, optimizer, schedule, warmup, augment, select, .. } =
            recipe;
        Self {
            epochs: *epochs,
            batch_size: *batch_size,
            optimizer: optimizer.chosen().clone(),
            schedule: schedule.chosen().clone(),
            warmup: *warmup,
            augment: augment.iter().map(|change| change.chosen().clone()).collect(),
            select: *select,
            batchnorm_weight: recipe.batchnorm_weight,
            precision: recipe.precision,
        }
    }
}
