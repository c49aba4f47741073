//! Which trials go on at a rung.

use super::rungs::{halving, median, patience};

/// A rule that stops trials at rungs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// Successive halving (Jamieson and Talwalkar 2016): this share of a batch goes on, at least one.
    Halving(f64),
    /// What is below the median of all trials at that rung stops, once there are so many (Golovin et al.
    /// 2017, "Google Vizier").
    Median(usize),
    /// What has not improved for so many rungs stops.
    Patience(usize),
}

impl Stop {
    /// For each trial of a batch whether it goes on, by its scores at all rungs so far; `before` are the
    /// scores of earlier batches at this one.
    pub fn decide(self, scores: &[&[f64]], before: &[f64]) -> Vec<bool> {
        let last: Vec<Option<f64>> = scores.iter().map(|scores| scores.last().copied()).collect();
        match self {
            Self::Halving(keep) => halving(&last, keep),
            Self::Median(at_least) => median(&last, before, at_least),
            Self::Patience(rungs) => scores.iter().map(|scores| patience(scores, rungs)).collect(),
        }
    }
}
