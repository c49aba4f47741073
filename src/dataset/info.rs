//! What is known of a data set before its pixels are decoded.

use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is known of a data set before its pixels are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataInfo {
    /// What decides the images and labels of each part.
    pub digests: Digests,
    /// Shape of one image.
    pub shape: Shape,
    /// Number of classes; labels are 0..classes.
    pub classes: usize,
    /// Training images, validation included.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// What a user should know of them, a line each: files that are none of the images, classes
    /// without test images. No part of any key.
    pub notes: Vec<String>,
    /// Whether its files are here. No part of any key.
    pub presence: Presence,
}

impl fmt::Display for DataInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { train, test, shape, classes, digests, .. } = self;
        // Digests of absent data are words.
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        let digests = [&digests.train, &digests.test].map(|digest| short(digest)).join(" and ");
        write!(
            f,
            "{train} training and {test} test images of {shape}, {classes} classes, digests {digests}"
        )
    }
}

/// Whether the files of a data set are here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// They are.
    #[default]
    Here,
    /// They are not, and the digests are those of the distribution that it is named for.
    Assumed,
    /// They are not, and no digest is known: what they decide has no key.
    Unknown,
}

/// A digest of each part of a data set, in hex; `data` makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// Of the training images, validation included.
    pub train: String,
    /// Of the test images.
    pub test: String,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What is trained on.
    Train,
    /// Held out of the training images: it may pick an epoch.
    Validation,
    /// Held out of them, too: it picks no epoch, and may so score trials.
    Scoring,
    /// Never trained on.
    Test,
}

impl Split {
    /// Every split, as pipelines and manifests call it.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("train", Self::Train),
        ("validation", Self::Validation),
        ("scoring", Self::Scoring),
        ("test", Self::Test),
    ];

    /// As pipelines and manifests call it.
    pub fn name(self) -> &'static str {
        Self::WORDS[self as usize].0
    }
}
