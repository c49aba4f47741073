//! What can be of several kinds: objectives, optimizers, schedules, augmentations, layers.
//!
//! A kind is one file in the folder of its sort, and one line in that folder's list. The file holds its
//! parameters, the table of their fields, and its arithmetic. From the table come the parser's checks,
//! the JSON schema, the reference in `docs/pipeline.md`, the words of `takd why`, and what is hashed:
//! fields in the table's order, those at their default left out.

mod choice;
mod field;
mod values;

pub use choice::{Choice, Conflict, Kind};
pub use field::{Bound, Field, Range, Scalar};
pub use values::{Chosen, read_words, words};
