//! Which images, how they are split, how they are normalised.

use super::{formats::Format, info::DataInfo, normalisation::Normalisation};

/// A data set as a pipeline names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Where the images come from.
    pub format: Format,
    /// Training images held out for validation, by a split that no seed changes.
    pub validation: usize,
    /// How pixels become numbers.
    pub normalisation: Normalisation,
    /// What the probe found in the files.
    pub info: DataInfo,
}
