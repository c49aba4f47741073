//! `[choose.NAME]`: which assistant, or which path, by one of several rules.
//!
//! A choice is no artifact: it is a function of measurements that are, read again from the cache whenever the
//! pipeline is, so it can neither be lost nor go stale. Its name means the chosen node.

mod ask;
mod expand;
mod found;
mod raw;
mod rules;
mod verdict;

pub(super) use expand::{expand, meant};
pub use found::{Choose, Cost, Evidence, Verdict};
pub(super) use raw::{RawChoose, read};
