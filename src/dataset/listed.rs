//! The files of a set of images, class by class.

use super::{DataError, skipped::Skipped};
use std::path::Path;

/// Labels are 16-bit integers.
pub(super) const MOST_CLASSES: usize = 65_000;

/// Files that may be images.
pub(super) struct Listing {
    /// Of the training folder, sorted.
    pub classes: Vec<String>,
    pub train: Listed,
    pub test: Listed,
    pub skipped: Skipped,
}

/// The files of one split, sorted by class and path.
pub(super) struct Listed {
    /// Its name in the folder: `train`.
    pub folder: String,
    /// Paths in the folder of the split, with `/`.
    pub names: Vec<String>,
    /// The index of each file's class among those of the training folder.
    pub labels: Vec<u16>,
}

impl Listed {
    /// Paths in the folder of the data set.
    pub fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().map(|name| format!("{}/{name}", self.folder))
    }
}

pub(super) fn damaged(path: &Path, problem: String) -> DataError {
    DataError::Damaged { file: path.display().to_string(), problem }
}
