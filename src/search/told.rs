//! What measurements have told: all that a search or a choice knows of the cache.

use std::collections::HashMap;

/// What came of one measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// In the unit of its metric, and the seconds that it took to train the network.
    Is(f64, f64),
    /// What it measures, or something that it needs, has diverged: the same again would end alike.
    Failed,
}

/// Scores by the name of the eval node and its seed. What is absent is not known yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told(HashMap<String, Vec<(u64, Score)>>);

impl Told {
    /// Takes a score down; one that is known stays.
    pub fn add(&mut self, eval: &str, seed: u64, score: Score) {
        let of_node = self.0.entry(eval.to_owned()).or_default();
        if !of_node.iter().any(|(known, _)| *known == seed) {
            of_node.push((seed, score));
        }
    }

    /// A score, if it is known.
    pub fn score(&self, eval: &str, seed: u64) -> Option<Score> {
        let of_node = self.0.get(eval)?;
        of_node.iter().find(|(known, _)| *known == seed).map(|(_, score)| *score)
    }

    /// Scores with all of these seeds; `None` as long as one is not known.
    pub fn scores(&self, eval: &str, seeds: &[u64]) -> Option<Vec<Score>> {
        seeds.iter().map(|&seed| self.score(eval, seed)).collect()
    }

    /// The mean over these seeds, if none has failed; `None` as long as one is not known.
    pub fn mean(&self, eval: &str, seeds: &[u64]) -> Option<Result<f64, Failed>> {
        let scores = self.scores(eval, seeds)?;
        let values: Option<Vec<f64>> = scores.iter().map(|score| score.value()).collect();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Some(values.map(mean).ok_or(Failed))
    }
}

/// A trial that has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl Score {
    /// The number, unless it failed.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Is(value, _) => Some(*value),
            Self::Failed => None,
        }
    }
}
