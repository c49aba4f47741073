//! The integration tests, in one binary. Each file is named for the promise that it holds.

// A test that cannot go on says so by panicking.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod changes;
mod clock;
mod command_line;
mod damage;
mod data_sets;
mod differences;
mod disk_errors;
mod documents;
mod errors;
mod failures;
mod figures;
mod file_system;
mod gpu;
mod help;
mod idx_sets;
mod image_damage;
mod image_folders;
mod image_kinds;
mod image_runs;
mod init;
mod key_version;
mod keys;
mod kill;
mod kill_calls;
mod memory;
mod no_panic;
mod no_panic_data;
mod overlay;
mod page;
mod passes;
mod pictures;
mod presets;
mod pytorch;
mod pytorch_files;
mod recipes;
mod report;
mod resume;
mod running;
mod same_bits;
mod schedule;
mod schema;
mod special_files;
mod stalled;
mod stop;
mod store;
mod tensorboard;
mod tidy;
mod tiny;
mod together;
mod versions;
mod watching;
mod workspace;
