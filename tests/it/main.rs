//! The integration tests, in one binary. Each file is named for the promise that it holds.

// A test that cannot go on says so by panicking.
#![allow(clippy::unwrap_used)]

mod changes;
mod command_line;
mod data_sets;
mod differences;
mod documents;
mod errors;
mod figures;
mod gpu;
mod help;
mod image_damage;
mod image_folders;
mod image_runs;
mod init;
mod keys;
mod no_panic;
mod no_panic_data;
mod page;
mod pictures;
mod pytorch;
mod pytorch_files;
mod report;
mod resume;
mod same_bits;
mod schedule;
mod schema;
mod store;
mod tidy;
mod tiny;
mod watching;
mod workspace;
