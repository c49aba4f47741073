//! Figures: measured networks as points over a number, with the paper's points beside them.

mod places;
pub(super) mod raw;
mod resolve;
mod sizes;
mod teachers;

pub use places::{Places, Teachers};

use super::measure::Measured;
use crate::dataset::Split;
use serde::Serialize;

/// A figure of results.
#[derive(Debug)]
pub struct Figure {
    /// Names its files.
    pub name: String,
    /// Drawn above it.
    pub title: String,
    /// Label of the horizontal axis.
    pub x: String,
    /// Label of the vertical axis.
    pub y: String,
    /// What its values are.
    pub quantity: Quantity,
    /// Printed below it.
    pub note: Option<String>,
    /// The measured split.
    pub split: Split,
    /// Lines of points, at least one.
    pub series: Vec<Series>,
    /// Whose mean is drawn as a line, and picks an assistant.
    pub mean_rule: Option<MeanRule>,
    /// What places the points.
    pub places: Places,
}

/// What a figure's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Top-1 accuracies, in percent.
    Accuracy,
    /// Differences of accuracies, in percentage points.
    GainPoints,
    /// The same in percent of the accuracy that is exceeded, as the paper's figure 3 has them.
    GainPercent,
}

/// A line of points.
#[derive(Debug)]
pub struct Series {
    /// For the legend.
    pub label: String,
    /// In the order of `x`, where that is known.
    pub points: Vec<Point>,
}

/// A point.
#[derive(Debug)]
pub struct Point {
    /// Where it stands.
    pub x: X,
    /// What takd has of it; nothing in a point that only quotes.
    pub measured: Option<Measure>,
    /// The published value, in the figure's quantity.
    pub paper: Option<f64>,
}

/// Where a point stands.
#[derive(Clone, Copy, Debug)]
pub enum X {
    /// At a number of the file.
    At(f64),
    /// At the figure's measure of this network, which teaches the point's.
    OfTeacher(Measured),
    /// At what the point's network takes of a device.
    OfNetwork,
}

/// What a point shows.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// A network's top-1 accuracy.
    Accuracy(Measured),
    /// By how much one network's top-1 accuracy exceeds another's, seed by seed.
    Gain {
        /// The one.
        of: Measured,
        /// The other.
        over: Measured,
    },
}

/// The paper's rule: of the figure's networks between the two, the best assistant is the one whose
/// own accuracy is nearest to the mean of the teacher's and the student's.
#[derive(Clone, Copy, Debug)]
pub struct MeanRule {
    /// The teacher.
    pub teacher: Measured,
    /// The student, trained without a teacher.
    pub student: Measured,
}
