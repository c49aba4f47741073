//! What is measured.

use crate::{dataset::Split, metric::Metric};

/// A measurement.
#[derive(Debug)]
pub struct Eval {
    /// The `[eval.NAME]` table that it comes from.
    pub group: String,
    /// Index of the `Work::Learn` node to measure.
    pub of: usize,
    /// On which images.
    pub split: Split,
    /// τ of the second entropy.
    pub temperature: f64,
    /// Index of the node that taught it, where the agreement of both is asked for.
    pub teacher: Option<usize>,
    /// Whether it is there for a search or a choice alone.
    pub scores: bool,
    /// Whether it is asked how soft the network's logits are.
    pub softness: bool,
    /// Index of another node that it is set against, as the student from scratch; with `softness` alone.
    pub against: Option<usize>,
    /// Whether the network is measured in 8 bits, too.
    pub int8: bool,
}

impl Eval {
    /// The nodes whose networks it needs: its own first.
    pub fn parents(&self) -> Vec<usize> {
        std::iter::once(self.of).chain(self.teacher).chain(self.against).collect()
    }
}

/// A network and its measurement.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Index of a `Work::Learn` node.
    pub node: usize,
    /// Index of the `Work::Eval` node that measures it.
    pub eval: usize,
}

/// A measurement that decides what comes next.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Name of the eval node.
    pub eval: String,
    /// With which seeds.
    pub seeds: Vec<u64>,
    /// What is looked at.
    pub metric: &'static Metric,
}
