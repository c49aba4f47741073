//! Tables of results, from the cache alone: nothing is trained here, and a missing result is shown
//! as missing.

mod compare;
mod csv_file;
mod entries;
mod escape;
mod figure;
mod gather;
mod nodes;
mod paired;
mod picture;
mod quoted;
mod reader;
pub mod render;
mod rows;
mod spread;
mod state;
mod tensorboard;
mod wording;

pub use compare::Comparison;
pub use entries::Entries;
pub use escape::printable;
pub use figure::{FigureResults, Line, Pick, PointResult, Rule};
pub use gather::{Report, Results};
pub use nodes::NodeResults;
pub use paired::{Evidence, Paired, signed};
pub use picture::{PaintError, Picture};
pub use rows::{MeasuredRow, SeedResult, TableRow};
pub use spread::Spread;
pub use tensorboard::{EventFile, event_files};
pub use wording::plural;
use wording::{NOTHING, TEST_SELECTED, split_name, thousands};
