//! What measurements have told: all that a search or a choice knows of the cache.

use super::Point;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What came of one measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// In the unit of its metric, and the seconds that it took to train the network.
    Is(f64, f64),
    /// What it measures, or something that it needs, has diverged: the same again would end alike.
    Failed,
}

/// Scores by the name of the eval node and its seed. What is absent is not known yet.
#[derive(Clone, Debug, Default)]
pub struct Told {
    scores: HashMap<String, Vec<(u64, Score)>>,
    /// Points that were drawn, by the name of what they are drawn for. A point is decided by scores that
    /// stay, so that it need not be drawn again when more are told.
    drawn: Arc<Mutex<HashMap<String, Vec<Point>>>>,
}

impl Told {
    /// Takes a score down; one that is known stays.
    pub fn add(&mut self, eval: &str, seed: u64, score: Score) {
        let of_node = self.scores.entry(eval.to_owned()).or_default();
        if !of_node.iter().any(|(known, _)| *known == seed) {
            of_node.push((seed, score));
        }
    }

    /// The point of trial `index` of what is called `name`, drawn if it has not been. Trials are asked for in
    /// order.
    pub fn point(
        &self,
        name: &str,
        index: usize,
        draw: impl FnOnce() -> Option<Point>,
    ) -> Option<Point> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = drawn.entry(name.to_owned()).or_default();
        if index == of_name.len() {
            of_name.push(draw()?);
        }
        of_name.get(index).cloned()
    }

    /// A score, if it is known.
    pub fn score(&self, eval: &str, seed: u64) -> Option<Score> {
        let of_node = self.scores.get(eval)?;
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
