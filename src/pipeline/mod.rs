//! The pipeline language: TOML text in, a resolved [`Pipeline`] or every error at once out.
//!
//! Text → `value` (a tree that remembers where each value stands) → `raw` (typed tables, still
//! with names) → `expand` (matrices and chains become nodes) → `resolve` (names become what
//! they name). Each step reports into one list of [`Diagnostic`]s and continues.

mod adjust;
mod batches;
mod choose;
mod classes;
mod columns;
mod data;
mod decide;
mod diagnostic;
mod doubts;
mod epochs;
mod executor;
mod expand;
mod fields;
mod figure;
mod from_file;
mod gpu_memory;
mod groups;
mod hyper;
mod keep;
mod kind;
mod measure;
mod moment;
mod mutual;
mod names;
mod nets;
mod objective;
mod outside;
mod peers;
mod raw;
mod resolve;
mod resolved;
mod results;
mod search;
mod seeds;
mod setting;
mod sizes;
mod tables;
mod taught;
mod teachers;
mod time_limit;
mod undecided;
mod value;

pub use adjust::Adjust;
pub use choose::{Choose, Cost, Evidence, Verdict};
pub use diagnostic::{Diagnostic, Diagnostics, Sources, Span};
pub use executor::{Resources, Slurm};
pub use figure::{Figure, MeanRule, Measure, Places, Point, Quantity, Series, Teachers, X};
pub use gpu_memory::GpuMemory;
pub use measure::{Ask, Eval, Measured};
pub use names::nearest;
pub use outside::Outside;
pub use resolve::{Catalogue, Digest, Probe, parse};
pub use resolved::{How, Learn, Mutual, Node, Pipeline, Row, Table, Teacher, Weights, Work};
pub use search::{Method, Search, Trial};
pub use setting::setting;
pub use time_limit::{TimeLimit, TimeLimitError};
