//! Errors of all stages as a step's failure.

use crate::{execute::Failure, key::Key};

/// Any error, as a step's failure.
pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

/// An entry that must neither be used nor replaced.
pub(super) fn other_version(key: &Key, version: &str) -> String {
    format!(
        "the entry {} is another takd version's ({version}), which this one cannot read and leaves \
         alone: use that version, or another --cache",
        key.short()
    )
}
