//! The learning rate over the epochs.
//!
//! One file per schedule, one line in [`SCHEDULES`].

mod constant;
mod cosine;
mod interface;
mod step;

pub use constant::Constant;
pub use cosine::Cosine;
pub use interface::{Epoch, Schedule};
pub use step::Step;

use crate::kind::Kind;

/// Every schedule.
pub const SCHEDULES: &[&Kind<dyn Schedule>] = &[&constant::KIND, &step::KIND, &cosine::KIND];
