//! Teacher-assistant knowledge distillation (Mirzadeh et al., AAAI 2020, arXiv 1902.03393) as
//! pipelines: a TOML file describes a graph of train, distill and eval nodes, each result is
//! cached under the hash of everything that went into it, and burn does the arithmetic.
//!
//! `ARCHITECTURE.md` maps the modules; imports between them run one way, which a test holds.

pub mod architecture;
pub mod augment;
pub mod column;
#[cfg(feature = "cli")]
pub mod commands;
#[cfg(feature = "cli")]
pub mod console;
pub mod dag;
pub mod dataset;
pub mod executor;
#[cfg(feature = "cli")]
pub mod fetch;
mod file_lock;
pub mod footprint;
pub mod graph;
pub mod history;
pub mod input;
pub mod keep;
pub mod kernels;
pub mod key;
pub mod kind;
pub mod kinds;
pub mod layer;
pub mod memory;
pub mod metric;
mod mutex;
pub mod network;
pub mod node;
pub mod objective;
pub mod onnx;
pub mod optimizer;
pub mod pipeline;
pub mod plan;
pub mod processor;
pub mod pytorch;
pub mod recipe;
pub mod reference;
pub mod remote;
pub mod report;
pub mod rng;
pub mod schedule;
pub mod schema;
pub mod search;
pub mod session;
pub mod shape;
mod shell;
pub mod slurm;
pub mod statistics;
pub mod store;
pub mod tap;
pub mod tensors;
pub mod training;
