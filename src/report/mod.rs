//! Tables of results, from the cache alone: nothing is trained here, and a missing result is shown
//! as missing.

mod adjust;
mod compare;
mod csv_file;
mod decisions;
mod entries;
mod escape;
mod figure;
mod gather;
mod nodes;
mod picture;
mod quoted;
mod reader;
pub mod render;
mod rows;
mod state;
mod tensorboard;
mod wording;

use crate::statistics::{Evidence, Paired, Spread, signed};
pub use compare::Comparison;
use compare::TO_SEE;
pub use csv_file::csv_line;
pub use decisions::{ChoiceResults, EvidenceResults, MethodResults, SearchResults, TrialResults};
pub use entries::Entries;
pub use escape::printable;
pub use figure::{
    Correlation, FigureResults, Front, Line, OnFront, Pick, PointResult, Rule, TeachersResult,
};
pub use gather::{Report, Results};
pub use nodes::NodeResults;
pub use picture::{PaintError, Picture};
pub use rows::{MeasuredRow, Searched, SeedResult, TableRow, Takes};
pub use tensorboard::{EventFile, event_files};
use wording::{NOTHING, TEST_SELECTED, split_name};
pub use wording::{plural, thousands};
