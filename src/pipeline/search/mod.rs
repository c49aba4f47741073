//! `[search.NAME]`: which values of a node's fields are best, by trials that are ordinary nodes.
//!
//! A search is read with what its trials have scored so far, and written out as the trials that are
//! decided by that, the evals that score them, and at its end the winner. More scores give more trials:
//! who runs a pipeline reads it again with them, until nothing is open.

mod above;
mod context;
mod evals;
mod expand;
mod found;
mod put;
mod raw;
mod space;
mod start;
mod vary;

pub(super) use above::Named;
pub(super) use context::Context;
pub(super) use evals::{group, measure, split};
pub(super) use expand::expand;
pub use found::{Method, Search, Trial};
pub(super) use raw::{RawScore, RawSearch, read, score};
