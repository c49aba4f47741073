//! Exit codes, and the errors that lead to them.

use crate::{
    data::DataError, fetch::FetchError, graph::SelectError, node::DeviceError, report::PaintError,
    spec::Diagnostics, store::StoreError,
};
use std::{io, path::PathBuf};

/// Everything went well.
pub const OK: u8 = 0;
/// A node failed, `cache verify` found a damaged entry, or a data set is not there or not whole.
pub const FAILED: u8 = 1;
/// The command line asks for something that is not there: an option, a node, a device. (clap's.)
pub const USAGE: u8 = 2;
/// The pipeline file cannot be read or has errors.
pub const PIPELINE: u8 = 3;
/// The cache, or an output, cannot be read or written.
pub const CACHE: u8 = 4;
/// Stopped by Ctrl-C: 128 and the signal's number, as shells say it.
pub const INTERRUPTED: u8 = 130;
/// Stopped by SIGTERM.
pub const TERMINATED: u8 = 143;

/// The codes as `takd --help` lists them.
pub(super) const HELP: &str =
    "Exit codes: 0 done, 1 failed, 2 arguments, 3 pipeline, 4 cache, 130/143 stopped";

/// Why a command gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The pipeline file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The pipeline has errors.
    #[error("{0}")]
    Pipeline(Box<Diagnostics>),
    /// A `--set` without `=`.
    #[error("--set {0}: expected KEY=VALUE, such as recipe.plain.epochs=5")]
    Set(String),
    /// A NODE that names nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A device that is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nodes have to run, and the cache can only be read.
    #[error("{error}: the cache can only be read, and {missing} of the nodes are not in it")]
    ReadOnly {
        /// Why it cannot be written.
        error: StoreError,
        /// Nodes that would have to run.
        missing: usize,
    },
    /// The start of a key that fits no entry, or several.
    #[error("{0}")]
    Entry(String),
    /// A file that the command was asked to write.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that is there and must not be overwritten.
    #[error("{} is there already; -o FILE names another one", .0.display())]
    Exists(PathBuf),
    /// A data set that is not there or not whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A data set that could not be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A figure that cannot be painted.
    #[error(transparent)]
    Paint(#[from] PaintError),
    /// Stdout.
    #[error("cannot write the result: {0}")]
    Output(io::Error),
}

impl Problem {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } | Self::Pipeline(_) => PIPELINE,
            Self::Set(_) | Self::Select(_) | Self::Device(_) | Self::Entry(_) | Self::Exists(_) => {
                USAGE
            }
            Self::Data(_) | Self::Fetch(_) => FAILED,
            Self::Store(_)
            | Self::ReadOnly { .. }
            | Self::Write { .. }
            | Self::Paint(_)
            | Self::Output(_) => CACHE,
        }
    }

    /// The message, with colours if asked for.
    pub(super) fn render(&self, colour: bool) -> String {
        match self {
            Self::Pipeline(diagnostics) => diagnostics.render(colour),
            other => format!("error: {other}"),
        }
    }
}
