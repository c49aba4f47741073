//! What of the teachers goes with the gain of their students.

use crate::{dataset::Split, pipeline::Teachers, statistics::Spearman};
use serde::Serialize;

/// A measure of teachers beside the gains of those that they taught.
#[derive(Clone, Debug, Serialize)]
pub struct TeachersResult {
    /// The measure.
    pub metric: &'static str,
    /// The split that the teachers are measured on.
    pub split: Split,
    /// One for each line.
    pub correlations: Vec<Correlation>,
}

/// How a measure of teachers and the gain of their students rise together.
#[derive(Clone, Debug, Serialize)]
pub struct Correlation {
    /// The line.
    pub label: String,
    /// Teachers that are measured, and whose students are.
    pub n: usize,
    /// Spearman's ρ over their means; nothing of under three, or where one side is all alike.
    pub rho: Option<f64>,
    /// Two-sided; nothing of under eight.
    pub p: Option<f64>,
    #[serde(skip)]
    in_words: String,
}

impl TeachersResult {
    pub(super) fn of(teachers: Teachers, correlations: Vec<Correlation>) -> Self {
        Self { metric: teachers.metric.name, split: teachers.split, correlations }
    }
}

impl Correlation {
    /// Of a line's points, each the teacher's measure and the student's gain.
    pub fn of(label: &str, pairs: &[(f64, f64)]) -> Self {
        let (found, n) = (Spearman::of(pairs), pairs.len());
        let Spearman { rho, p } = found;
        let in_words = match rho {
            _ if n < 3 => format!("{label}: {n} measured, too few for a rank correlation"),
            None => format!("{label}: no rank correlation of n = {n}, one side is all alike"),
            Some(rho) => {
                let rho = format!("{rho:.2}").replace('-', "−");
                format!("{label}: Spearman's ρ = {rho}, n = {n} teachers, {}", found.p_in_words())
            }
        };
        Self { label: label.to_owned(), n, rho, p, in_words }
    }

    /// In words.
    pub fn sentence(&self) -> &str {
        &self.in_words
    }
}
