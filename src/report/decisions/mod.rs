//! What searches and choices have found, for tables, pages and programs.

mod choice;
mod picture;
mod search;

pub(super) use choice::trials;
pub use choice::{ChoiceResults, EvidenceResults};
pub use search::{MethodResults, SearchResults, TrialResults};
