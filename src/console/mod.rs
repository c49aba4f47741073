//! What the commands share: arguments, exit codes, and what reaches a terminal, a pipe or a log.
//!
//! Results go to stdout; progress, notes and errors go to stderr.

mod arguments;
mod confirm;
mod entry;
pub mod exit;
mod help;
mod home;
mod nodes;
mod output;
mod plan;
mod progress;
mod records;
mod say;
mod signals;
mod stderr;
mod stdout;

pub(crate) use arguments::{DataArgs, Given, PipelineArgs, RemoteArgs};
pub(crate) use confirm::confirm;
pub(crate) use entry::entry_key;
pub(crate) use help::grouped;
pub(crate) use home::folder;
pub(crate) use nodes::{networks, nodes};
pub(crate) use output::{write, write_new};
pub(crate) use plan::{show, step_json, tell_damaged};
pub(crate) use progress::{Decoding, LogArgs, long, short, status_json, tell};
pub(crate) use records::listen;
pub(crate) use say::{coloured, say};
#[cfg(unix)]
pub(crate) use signals::bear_file_limits;
pub(crate) use signals::{Signals, code, command_line};
pub(crate) use stderr::flush;
pub(crate) use stdout::{print, print_data, print_json};
