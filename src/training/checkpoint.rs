//! All that a training needs to go on after any step as if it had never stopped.
//!
//! No generator is in it: every random number is a function of (seed, epoch, sample id).

use super::snapshot::Snapshot;
use crate::{
    history::EpochRecord,
    network::{LoadError, NamedTensor},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A training after some steps, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Parameters and running statistics.
    pub weights: Vec<NamedTensor>,
    /// The optimizer's state: `NAME/0`, `NAME/1`, … for each parameter, flat.
    pub optimizer: Vec<NamedTensor>,
    /// What the objective trains beside the student, flat.
    pub learned: Vec<NamedTensor>,
    /// The weights of the best epoch so far; empty where none is selected.
    pub best: Vec<NamedTensor>,
    /// Everything that is not a tensor.
    pub state: TrainingState,
    /// Of the networks that learn beside it, in their order.
    pub peers: Vec<Checkpoint>,
}

/// Accuracy, number and weights of the best epoch so far.
pub(super) type Best = Option<(f64, usize, Vec<NamedTensor>)>;

impl Checkpoint {
    /// The state of one network's training.
    pub(super) fn of(
        snapshot: Snapshot,
        best: &Best,
        history: &[EpochRecord],
        within: Option<Within>,
    ) -> Self {
        let Snapshot { weights, learned, optimizer, steps } = snapshot;
        let scored = best.as_ref().map(|(accuracy, epoch, _)| (*accuracy, *epoch));
        let best = best.as_ref().map(|(.., weights)| weights.clone()).unwrap_or_default();
        let state =
            TrainingState { steps, best: scored, seconds: 0.0, history: history.to_vec(), within };
        Self { weights, optimizer, learned, best, state, peers: Vec::new() }
    }

    /// Checks that its parts are of one training. That they are of this one, `Network::load` checks.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let shapes = |tensors: &[NamedTensor]| -> BTreeMap<String, Vec<usize>> {
            tensors.iter().map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect()
        };
        let weights = shapes(&self.weights);
        let mut problems = Vec::new();
        let learned = shapes(&self.learned);
        for tensor in &self.optimizer {
            let parameter = tensor
                .name
                .rsplit_once('/')
                .and_then(|(name, _)| weights.get(name).or_else(|| learned.get(name)));
            if parameter.map(|shape| shape.iter().product()) != Some(tensor.values.len()) {
                problems.push(format!("the optimizer's `{}` belongs to no parameter", tensor.name));
            }
        }
        let best = shapes(&self.best);
        if best != if self.state.best.is_some() { weights } else { BTreeMap::new() } {
            problems.push("the best epoch's weights belong to another network".to_owned());
        }
        for peer in &self.peers {
            problems.extend(peer.check().err().into_iter().flat_map(|error| error.problems));
        }
        if problems.is_empty() { Ok(()) } else { Err(LoadError { problems }) }
    }
}

/// The part of a checkpoint that is not tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// Updates made.
    pub steps: i32,
    /// Accuracy and number of the best epoch so far.
    pub best: Option<(f64, usize)>,
    /// Seconds that the training took so far, all its runs together. A training leaves it 0 and
    /// never reads it: whoever writes checkpoints has the clock.
    #[serde(default)]
    pub seconds: f64,
    /// Every whole epoch so far.
    pub history: Vec<EpochRecord>,
    /// How far the epoch after them has come; nothing between two epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
}

/// Some steps of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// Steps made in the epoch.
    pub step: usize,
    /// Sum of the objective over the samples so far.
    pub loss_sum: f64,
    /// Objective of the last step.
    pub last: Option<f64>,
    /// Samples so far whose largest logit was that of their label.
    pub correct: usize,
    /// As [`EpochRecord::constant`], once that batch has come.
    pub constant: bool,
}
