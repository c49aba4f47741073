//! Every kind that a pipeline may name.

use crate::{
    augment::{AUGMENTS, Augment},
    dataset::{DataFormat, FORMATS},
    kind::{Field, Kind},
    layer::{LAYERS, Layer},
    objective::{DISTILLATION, Distillation, SUM, SUPERVISED, Supervised},
    optimizer::{OPTIMIZERS, Optimizer},
    schedule::{SCHEDULES, Schedule},
};

/// The kinds of each sort; by default those that are built in. Others can be pushed to its lists.
#[derive(Clone)]
pub struct Kinds {
    /// Losses of `train` nodes.
    pub supervised: Vec<&'static Kind<dyn Supervised>>,
    /// Objectives of `distill` nodes.
    pub distillation: Vec<&'static Kind<dyn Distillation>>,
    /// Update rules.
    pub optimizers: Vec<&'static Kind<dyn Optimizer>>,
    /// Learning rates over the epochs.
    pub schedules: Vec<&'static Kind<dyn Schedule>>,
    /// Changes of training images.
    pub augments: Vec<&'static Kind<dyn Augment>>,
    /// Layers of networks.
    pub layers: Vec<&'static Kind<dyn Layer>>,
    /// Formats of data sets.
    pub formats: Vec<&'static Kind<dyn DataFormat>>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self {
            supervised: SUPERVISED.to_vec(),
            distillation: DISTILLATION.to_vec(),
            optimizers: OPTIMIZERS.to_vec(),
            schedules: SCHEDULES.to_vec(),
            augments: AUGMENTS.to_vec(),
            layers: LAYERS.to_vec(),
            formats: FORMATS.to_vec(),
        }
    }
}

/// The fields of the kind called `name`.
fn fields<T: ?Sized>(kinds: &[&'static Kind<T>], name: &str) -> Option<&'static [Field]> {
    kinds.iter().find(|kind| kind.name == name).map(|kind| kind.fields)
}

/// Whether it is the path of a term of a sum: `objective.sum.0`.
fn is_term(path: &str) -> bool {
    let term = path.strip_prefix("objective.").and_then(|path| path.strip_prefix(SUM));
    term.is_some_and(|index| index.strip_prefix('.').is_some_and(|index| !index.contains('.')))
}

impl Kinds {
    /// The table of a kind's fields, by the path in a key's inputs where it is chosen: `objective`,
    /// `recipe.optimizer`, `recipe.schedule`. Nothing for what is no kind of this takd's.
    pub fn table(&self, path: &str, kind: &str) -> Option<&'static [Field]> {
        match path {
            path if path == "objective" || is_term(path) => {
                fields(&self.distillation, kind).or_else(|| fields(&self.supervised, kind))
            }
            "recipe.optimizer" => fields(&self.optimizers, kind),
            "recipe.schedule" => fields(&self.schedules, kind),
            _ => None,
        }
    }

    /// What a field of a key's inputs is, in a line: of `recipe.optimizer.sgd.lr`, say.
    pub fn about(&self, path: &str) -> Option<&'static str> {
        let (path, field) = path.rsplit_once('.')?;
        let (path, kind) = path.rsplit_once('.')?;
        let table = self.table(path, kind)?;
        table.iter().find(|known| known.name == field).map(|field| field.doc)
    }
}
