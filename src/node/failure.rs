//! Errors of all stages as a step's error: which kind each is.

use super::files::FileError;
use crate::{
    dataset::DataError,
    executor::{StepError, StepErrorKind},
    key::Key,
    network::LoadError,
    store::StoreError,
    training::{LearnError, LogitsError},
};
use std::fmt;

/// Data or weights from outside that cannot be used.
pub(super) fn data(message: impl fmt::Display) -> StepError {
    StepError::new(StepErrorKind::Data, message)
}

/// Numbers that are not finite.
pub(super) fn diverged(message: impl fmt::Display) -> StepError {
    StepError::new(StepErrorKind::Diverged, message)
}

/// An entry that cannot be used or made.
pub(super) fn cache(message: impl fmt::Display) -> StepError {
    StepError::new(StepErrorKind::Cache, message)
}

/// More than this machine has.
pub(super) fn memory(message: impl fmt::Display) -> StepError {
    StepError::new(StepErrorKind::Memory, message)
}

/// An entry that must neither be used nor replaced.
pub(super) fn other_version(key: &Key, version: &str) -> StepError {
    cache(format!(
        "the entry {} was written by another version of takd ({version}); this one cannot read it and \
         leaves it alone: use that version, or another --cache",
        key.short()
    ))
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        cache(error)
    }
}

impl From<DataError> for StepError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Stopped => Self::interrupted(),
            DataError::Threads(_) => memory(error),
            DataError::Missing { .. }
            | DataError::Damaged { .. }
            | DataError::Several(_)
            | DataError::Decoder => data(error),
        }
    }
}

/// Of files in entries.
impl From<FileError> for StepError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotFinite(_) => diverged(error),
            FileError::Format(_)
            | FileError::Type(_)
            | FileError::Logits(_)
            | FileError::State(_) => cache(error),
        }
    }
}

/// Of weights in entries.
impl From<LoadError> for StepError {
    fn from(error: LoadError) -> Self {
        cache(error)
    }
}

impl From<LogitsError> for StepError {
    fn from(error: LogitsError) -> Self {
        cache(error)
    }
}

impl From<LearnError> for StepError {
    fn from(error: LearnError) -> Self {
        match error {
            LearnError::Stopped => Self::interrupted(),
            LearnError::Data(error) => error.into(),
            LearnError::Logits(error) => error.into(),
            LearnError::Checkpoint(_) => cache(error),
            LearnError::Diverged { .. }
            | LearnError::Teacher { .. }
            | LearnError::Evaluation { .. }
            | LearnError::Overflown { .. }
            | LearnError::Objective(_)
            | LearnError::Peer { .. }
            | LearnError::Collapsed(_) => diverged(error),
        }
    }
}
