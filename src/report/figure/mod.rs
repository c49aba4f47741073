//! Figures: their numbers out of the cache, drawn, and as CSV.

mod axes;
mod csv;
mod frame;
mod front;
mod gather;
mod plot;
mod teachers;
mod told;

pub(super) use axes::{Axis, NORMAL, SMALL, label, name_axes};
pub(super) use frame::{Entry, LEFT, RIGHT, WIDTH, inside, legend, mark};
pub use front::{Front, OnFront};
pub use gather::{FigureResults, Line, Pick, PointResult, Rule};
pub use teachers::{Correlation, TeachersResult};
