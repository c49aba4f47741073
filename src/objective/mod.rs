//! What a training minimises: losses on the labels, and objectives that also learn from a teacher.
//!
//! One file per objective, one line in [`SUPERVISED`] or [`DISTILLATION`].

mod asks;
mod at;
mod bss;
mod cross_entropy;
mod ctkd;
mod dgkd;
mod dist;
mod dkd;
mod dml;
mod features;
mod fitnet;
mod fsp;
#[cfg(test)]
mod golden;
mod interface;
mod kd;
mod label_smoothing;
mod mlkd;
mod needs;
mod nkd;
mod rkd;
mod softened;
mod sp;
mod squared_error;
mod sum;
mod ttm;
mod weight;
mod wsld;

pub use asks::{Networks, Seen};
pub use at::At;
pub use bss::Bss;
pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use ctkd::Ctkd;
pub use dgkd::Dgkd;
pub use dist::Dist;
pub use dkd::Dkd;
pub use dml::Dml;
pub use fitnet::Fitnet;
pub use fsp::Fsp;
pub use interface::{Batch, Distillation, Supervised};
pub use kd::{Kd, Reduction};
pub use label_smoothing::LabelSmoothing;
pub use mlkd::MlkdOneView;
pub use needs::{Given, Needs, Parameter, Start};
pub use nkd::Nkd;
pub use rkd::Rkd;
pub use sp::Sp;
pub use squared_error::SquaredError;
pub use sum::{SUM, Term, sum};
pub use ttm::Ttm;
pub use weight::Weight;
pub use wsld::Wsld;

use crate::kind::Kind;

/// Losses on the labels alone: what a `train` node minimises.
pub const SUPERVISED: &[&Kind<dyn Supervised>] =
    &[&cross_entropy::KIND, &label_smoothing::KIND, &squared_error::KIND];

/// Objectives with a teacher: what a `distill` node minimises.
pub const DISTILLATION: &[&Kind<dyn Distillation>] = &[
    &kd::KIND,
    &dgkd::KIND,
    &dkd::KIND,
    &dist::KIND,
    &nkd::KIND,
    &wsld::KIND,
    &ttm::KIND,
    &mlkd::KIND,
    &ctkd::KIND,
    &at::KIND,
    &sp::KIND,
    &rkd::KIND,
    &fitnet::KIND,
    &fsp::KIND,
    &bss::KIND,
    &dml::KIND,
];
