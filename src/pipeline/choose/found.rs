//! A choice as far as it is decided.

use crate::{dataset::Split, metric::Metric};

/// A choice among students, which differ in whom they learn from.
#[derive(Clone, Debug)]
pub struct Choose {
    /// As its table is called; it means the chosen node.
    pub name: String,
    /// The rule, as it is written.
    pub rule: &'static str,
    /// What is compared.
    pub metric: &'static Metric,
    /// On which images.
    pub split: Split,
    /// The nodes that it chooses among.
    pub candidates: Vec<String>,
    /// What it has looked at, in the order in which it looked.
    pub evidence: Vec<Evidence>,
    /// The chosen node, once it is known.
    pub chosen: Option<String>,
    /// Whether the chosen one learns from the first teacher itself.
    pub is_without_assistant: bool,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// What the rule would choose by one seed alone, where what is known suffices.
    pub by_seed: Vec<(u64, Option<String>)>,
    /// In how many cases, out of how many, the most accurate of several assistants of one size taught the
    /// best student, which dynamic programming assumes: a case is a size and a seed.
    pub assumption: (usize, usize),
    /// What it has to train, and what trying all would have to.
    pub cost: [Cost; 2],
}

/// What a rule has looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// A node, or one at an epoch.
    pub node: String,
    /// Its scores and their seeds, in the unit of the metric; none while they are not known.
    pub scores: Vec<(u64, f64)>,
    /// Whether it has diverged.
    pub failed: bool,
    /// What the rule has made of it, in words.
    pub note: String,
}

/// What a choice comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It waits for scores.
    Open,
    /// The rule has chosen.
    Chosen,
    /// The best is better than the second best by more than chance gives: mean difference and its 95 %
    /// interval, in the unit of the metric.
    Clear {
        /// The second best.
        second: String,
        /// Mean over the seeds.
        mean: f64,
        /// The interval.
        interval: [f64; 2],
    },
    /// It may be chance.
    CannotTell {
        /// The second best.
        second: String,
        /// Mean over the seeds.
        mean: f64,
        /// About how many more seeds would decide, if the difference and its spread stay as they are;
        /// none where one seed gives no spread.
        seeds: Option<usize>,
    },
    /// No candidate is left.
    Nothing,
}

/// What trainings cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How many, each seed its own.
    pub trainings: usize,
    /// Their epochs.
    pub epochs: u64,
}
