//! What goes wrong between takd and Slurm.

use crate::{pipeline::TimeLimit, store::StoreError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why nothing, or no more, was submitted.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// One of Slurm's commands cannot be started.
    #[error(
        "cannot start `{program}`: {error}; `--executor slurm` needs Slurm's commands on PATH: type this on a \
         login node of the cluster, or leave `--executor slurm` out to run here"
    )]
    Absent {
        /// Which.
        program: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// One of Slurm's commands has failed.
    #[error("`{program}` failed: {said}; {hint}")]
    Refused {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
        /// What to do.
        hint: &'static str,
    },
    /// A job was refused after others were submitted.
    #[error(
        "{error}\n  {jobs} of {all} jobs are submitted, and go on; run again to submit the rest"
    )]
    Partly {
        /// Why.
        error: Box<SlurmError>,
        /// How many were submitted.
        jobs: usize,
        /// How many were to be.
        all: usize,
    },
    /// A partition that the cluster does not have.
    #[error(
        "the cluster has no partition `{name}`; it has: {known}. Set `partition` in [executor.slurm], or give \
         --set executor.slurm.partition=NAME"
    )]
    Partition {
        /// As it was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A time limit that the partition does not allow.
    #[error(
        "jobs of the partition `{partition}` run for {most} at most, and `time` in [executor.slurm] asks for \
         {time}: shorten it (a training that comes to its limit resumes in a next job), or choose another partition"
    )]
    Time {
        /// The partition.
        partition: String,
        /// What it allows.
        most: TimeLimit,
        /// What is asked for.
        time: TimeLimit,
    },
    /// Hardly more time than the notice.
    #[error(
        "jobs are told to stop {notice} s before their time limit, or up to half a minute earlier, and they have \
         {time} (`time` in [executor.slurm], or what the partition allows): give more time, or a shorter `notice`"
    )]
    Notice {
        /// Seconds.
        notice: u64,
        /// What is asked for.
        time: TimeLimit,
    },
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the cache that is none of an entry's.
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        /// Verb: read, write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl SlurmError {
    /// The error without what was submitted before it.
    pub fn deepest(&self) -> &Self {
        match self {
            Self::Partly { error, .. } => error.deepest(),
            other => other,
        }
    }

    pub(super) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |error| Self::File { action, path: path.to_owned(), error }
    }
}
