//! How p-values of a table's comparisons are adjusted.

use serde::Serialize;

/// What is kept under 5 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Adjust {
    /// The probability of a single false finding among all comparisons (Holm 1979).
    #[default]
    Holm,
    /// The share of false ones among the findings (Benjamini & Hochberg 1995).
    Bh,
    /// The probability of a false finding of each comparison alone.
    None,
}
