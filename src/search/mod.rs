//! Searching: where trials lie, how many there are, and which go on. Pure: what a trial is, and what it
//! scored, comes from outside.
//!
//! A search is a function of what its trials have scored so far, not of when they ended: run again with
//! the same scores it makes the same trials.

mod best_of_n;
mod course;
mod importance;
mod rungs;
mod sampler;
mod space;
mod stop;
mod told;
mod tpe;

pub use best_of_n::expected_best;
pub use course::{Cost, Course, Standing, Surroundings, Trial, TrialState};
pub use importance::importance;
pub use sampler::Sampler;
pub use space::{Coordinate, Dimension, Domain, Point, Space};
pub use stop::Stop;
pub use told::{Failed, Score, Told};
pub use tpe::{Good, Style, Tpe};
