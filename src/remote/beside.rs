//! What steps read and leave beside their own entries.

use super::seen::Places;
use crate::{
    graph::Graph,
    key::{Key, Kind},
    pipeline::{How, Learn, Work},
    plan::{Plan, Step},
};
use std::collections::HashMap;

/// What the steps of a plan read and leave beside their own entries, worked out once: a machine that waits asks again and
/// again, of very many steps.
pub struct Beside {
    /// Of each step the [`stored_logits`].
    logits: Vec<Vec<Key>>,
    /// What a step leaves, where it does.
    left: HashMap<usize, Vec<Key>>,
    places: Places,
}

impl Beside {
    /// Of the steps of `plan`.
    pub fn new(graph: &Graph<'_>, plan: &Plan) -> Self {
        let mut left: HashMap<usize, Vec<Key>> = HashMap::new();
        for step in &plan.steps {
            if let Some(index) = step.left_by {
                left.entry(index).or_default().push(step.key);
            }
        }
        let logits: Vec<Vec<Key>> =
            plan.steps.iter().map(|step| stored_logits(graph, step)).collect();
        let mut places = HashMap::new();
        for key in plan.steps.iter().map(|step| &step.key).chain(logits.iter().flatten()) {
            let next = places.len();
            places.entry(*key).or_insert(next);
        }
        Self { logits, left, places: places.into() }
    }

    /// A number for each key that a step has or reads.
    pub(super) fn places(&self) -> Places {
        self.places.clone()
    }

    /// The teachers' logits that a step reads in place of asking its teachers.
    pub(super) fn logits(&self, index: usize) -> &[Key] {
        &self.logits[index]
    }

    /// What a step has left in the cache, in the order in which others may see it: what they would make anew when they see
    /// the step's own entry comes before that.
    pub(super) fn made(&self, index: usize, step: &Step) -> Vec<Key> {
        let left = self.left.get(&index).into_iter().flatten();
        self.logits(index).iter().chain(left).copied().chain([step.key]).collect()
    }
}

/// The training or import that a step is, if it is one.
fn learn<'g>(graph: &'g Graph<'_>, step: &Step) -> Option<&'g Learn> {
    match &graph.pipeline.nodes[graph.tasks[step.tasks[0]].node].work {
        Work::Learn(learn) => Some(learn),
        Work::Eval(_) => None,
    }
}

/// The teachers' logits that a step reads in place of asking its teachers.
pub fn stored_logits(graph: &Graph<'_>, step: &Step) -> Vec<Key> {
    match learn(graph, step) {
        Some(learn) if !learn.asks_teachers() => {
            step.inputs.teacher_logits().iter().map(|inputs| inputs.key()).collect()
        }
        _ => Vec::new(),
    }
}

/// The entries whose content a step reads: stored logits where `is_known` says that they are, else the networks.
pub fn reads(graph: &Graph<'_>, step: &Step, is_known: impl Fn(&Key) -> bool) -> Vec<Key> {
    let logits = stored_logits(graph, step);
    if step.inputs.kind == Kind::Distill && !logits.is_empty() && logits.iter().all(is_known) {
        return logits;
    }
    match learn(graph, step).map(|learn| &learn.how) {
        Some(How::Import(_)) => Vec::new(),
        _ => step.inputs.parents.clone(),
    }
}
