//! What a training minimises: losses on the labels, and objectives that also learn from a teacher.
//!
//! One file per objective, one line in [`SUPERVISED`] or [`DISTILLATION`].

mod cross_entropy;
mod interface;
mod kd;
mod label_smoothing;

pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use interface::{Batch, Distillation, Supervised};
pub use kd::{Kd, Reduction};
pub use label_smoothing::LabelSmoothing;

use crate::kind::Kind;

/// Losses on the labels alone: what a `train` node minimises.
pub const SUPERVISED: &[&Kind<dyn Supervised>] = &[&cross_entropy::KIND, &label_smoothing::KIND];

/// Objectives with a teacher: what a `distill` node minimises.
pub const DISTILLATION: &[&Kind<dyn Distillation>] = &[&kd::KIND];
