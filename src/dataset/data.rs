//! Which images, how they are split, how they are normalised.

use super::{formats::Format, info::DataInfo, normalisation::Normalisation};

/// A data set as a pipeline names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Where the images come from.
    pub format: Format,
    /// Training images held out for validation, by a split that no seed changes.
    pub validation: usize,
    /// Training images held out besides, to score trials by.
    pub scoring: usize,
    /// How pixels become numbers.
    pub normalisation: Normalisation,
    /// What the probe found in the files.
    pub info: DataInfo,
}

impl Data {
    /// Training images that are learned from.
    pub fn trained(&self) -> usize {
        self.info.train.saturating_sub(self.validation).saturating_sub(self.scoring)
    }
}
