//! The part of the data that decides an artifact.

use crate::dataset::{
    Data, Fit, Normalisation, Split,
    defaults::{data as defaults, split},
};
use serde::{Deserialize, Serialize};

/// What of a data set decides results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataInputs {
    /// Digest of the training images; nothing where they are not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<String>,
    /// Digest of the test images; nothing where they are not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Training images held out; 0 where only test images are used.
    #[serde(default = "split::validation::value", skip_serializing_if = "split::validation::is")]
    pub validation: usize,
    /// Training images held out to score by; 0 where only test images are used.
    #[serde(default = "split::scoring::value", skip_serializing_if = "split::scoring::is")]
    pub scoring: usize,
    /// How pixels become numbers.
    #[serde(
        default = "defaults::normalisation::value",
        skip_serializing_if = "defaults::normalisation::is"
    )]
    pub normalisation: Normalisation,
    /// How images of any size become images of one size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
}

impl DataInputs {
    /// What decides an artifact that uses the images of `splits`. The validation and scoring splits are cut out of
    /// the training images, so they decide it; mean and deviation are measured on them, too.
    pub fn of(data: &Data, splits: &[Split]) -> Self {
        let Data { validation, scoring, normalisation, info, format } = data;
        let uses_train = splits.iter().any(|&split| split != Split::Test);
        let reads_train = uses_train || *normalisation == Normalisation::Measured;
        Self {
            train: reads_train.then(|| info.digests.train.clone()),
            test: splits.contains(&Split::Test).then(|| info.digests.test.clone()),
            validation: if uses_train { *validation } else { split::validation::value() },
            scoring: if uses_train { *scoring } else { split::scoring::value() },
            normalisation: normalisation.clone(),
            fit: format.fit(),
        }
    }

    /// The same for an artifact that uses the training split alone.
    pub(super) fn of_training_images(&self) -> Self {
        Self { test: None, ..self.clone() }
    }
}
