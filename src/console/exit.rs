//! Exit codes, and the errors that lead to them.

use crate::{
    dataset::DataError,
    executor::StepErrorKind,
    fetch::FetchError,
    graph::SelectError,
    node::DeviceError,
    remote::RemoteError,
    report::PaintError,
    session::{OpenError, PlanError, PredictError, RunError},
    slurm::SlurmError,
    store::StoreError,
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
/// Stopped by SIGUSR1, with checkpoints, to be run again: a cluster's notice that a job's time is nearly up.
/// (`EX_TEMPFAIL` of sysexits.)
pub const TIME_LIMIT: u8 = 75;
/// A fault of takd's, as of other Rust programs.
pub const BUG: u8 = 101;
/// Stopped by Ctrl-C: 128 and the signal's number, as shells say it.
pub const INTERRUPTED: u8 = 130;
/// Stopped by SIGTERM.
pub const TERMINATED: u8 = 143;

/// The codes as `takd --help` lists them.
pub(crate) const HELP: &str =
    "Exit codes: 0 done, 1 failed, 2 usage, 3 pipeline, 4 cache, 75/130/143 stopped";

/// The code of a run in which a step failed so.
pub(crate) fn of(kind: StepErrorKind) -> u8 {
    match kind {
        StepErrorKind::Data
        | StepErrorKind::Memory
        | StepErrorKind::Diverged
        | StepErrorKind::Device
        | StepErrorKind::Job => FAILED,
        StepErrorKind::Cache => CACHE,
        StepErrorKind::Interrupted => INTERRUPTED,
        StepErrorKind::Bug => BUG,
    }
}

/// Why a command gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A pipeline that cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A network that could not be asked, or taken out.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// Options that exclude one another.
    #[error("{0}")]
    Usage(&'static str),
    /// A run that could not begin.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A NODE that names nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A device that does not exist.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The remote.
    #[error(transparent)]
    Remote(#[from] RemoteError),
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
    #[error("{} already exists; -o FILE names another one", .0.display())]
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
            Self::Open(OpenError::Set(_))
            | Self::Run(RunError::Open(OpenError::Set(_)))
            | Self::Select(_)
            | Self::Device(_)
            | Self::Entry(_)
            | Self::Exists(_)
            | Self::Predict(
                PredictError::Select(_) | PredictError::Node(_) | PredictError::Device(_),
            )
            | Self::Plan(PlanError::Select(_))
            | Self::Run(RunError::Select(_) | RunError::Device(_)) => USAGE,
            Self::Open(OpenError::Store(_)) | Self::Run(RunError::Open(OpenError::Store(_))) => {
                CACHE
            }
            Self::Run(RunError::Slurm(error)) => match error.deepest() {
                SlurmError::Store(_) | SlurmError::File { .. } => CACHE,
                SlurmError::Refused { .. } | SlurmError::Partly { .. } => FAILED,
                SlurmError::Absent { .. }
                | SlurmError::Partition { .. }
                | SlurmError::Time { .. }
                | SlurmError::Notice { .. } => USAGE,
            },
            Self::Usage(_)
            | Self::Remote(
                RemoteError::Address { .. } | RemoteError::Credentials | RemoteError::NotBuilt(_),
            ) => USAGE,
            Self::Read { .. } | Self::Open(_) | Self::Run(RunError::Open(_)) => PIPELINE,
            Self::Data(_)
            | Self::Fetch(_)
            | Self::Run(RunError::Data(_))
            | Self::Predict(PredictError::Data(_) | PredictError::Network(_)) => FAILED,
            Self::Store(_)
            | Self::Plan(PlanError::Store(_))
            | Self::Remote(_)
            | Self::Run(RunError::Store(_) | RunError::Remote(_) | RunError::ReadOnly { .. })
            | Self::Predict(
                PredictError::Store(_) | PredictError::Weights(_) | PredictError::Entry(_),
            )
            | Self::Write { .. }
            | Self::Paint(_)
            | Self::Output(_) => CACHE,
        }
    }

    /// The message, with colours if asked for.
    pub(crate) fn render(&self, colour: bool) -> String {
        match self {
            Self::Open(OpenError::Pipeline(diagnostics))
            | Self::Run(RunError::Open(OpenError::Pipeline(diagnostics))) => {
                diagnostics.render(colour)
            }
            other => format!("error: {other}"),
        }
    }
}
