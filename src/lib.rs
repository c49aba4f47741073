//! Teacher-assistant knowledge distillation (Mirzadeh et al., AAAI 2020, arXiv 1902.03393) as
//! pipelines: a TOML file describes a graph of train, distill and eval nodes, each result is
//! cached under the hash of everything that went into it, and burn does the arithmetic.
//!
//! `ARCHITECTURE.md` maps the modules; imports between them run one way, which a test holds.

pub mod commands;
pub mod config;
pub mod dag;
pub mod data;
pub mod execute;
pub mod fetch;
pub mod graph;
pub mod history;
pub mod input;
pub mod key;
pub mod learn;
pub mod metrics;
pub mod net;
pub mod node;
pub mod ops;
pub mod plan;
pub mod pytorch;
pub mod report;
pub mod rng;
pub mod spec;
pub mod store;
