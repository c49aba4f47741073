//! Which images, how they are split, how they are normalised.

use super::{Normalisation, Shape, defaults::fit};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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

/// A data set's storage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The balanced Fashion-MNIST subset inside the binary: 5,000 training, 1,000 test images.
    FashionMini,
    /// A folder with MNIST's four IDX files, gzipped or not.
    Idx(PathBuf),
    /// CIFAR's binary distributions.
    Cifar(Cifar),
    /// A folder of JPEG and PNG files, a folder a class.
    Folder(ImageFolder),
}

impl Format {
    /// Where its files lie; nothing of what is inside takd.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::FashionMini => None,
            Self::Idx(path) => Some(path),
            Self::Cifar(cifar) => Some(&cifar.path),
            Self::Folder(folder) => Some(&folder.path),
        }
    }
}

/// Where a folder of images lies, and what its images are brought to.
///
/// The images lie in `path/train/CLASS/…` and `path/val/CLASS/…`; a class is numbered by its place
/// among the sorted names of the class folders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageFolder {
    /// The folder.
    pub path: PathBuf,
    /// The folder of training images in it.
    pub train: String,
    /// The folder of test images in it: the first of these that is there.
    pub test: Vec<String>,
    /// How images of any size become images of one size.
    pub fit: Fit,
    /// Where the digests of files are kept, so that they are not read anew by each command.
    pub digests: PathBuf,
}

impl ImageFolder {
    /// The usual layout: `train` and `val` (or `test`), images of 224×224; digests are kept in a
    /// folder of `data`.
    pub fn new(path: PathBuf, data: &Path) -> Self {
        let test = ["val", "test"].map(str::to_owned).to_vec();
        let (train, fit, digests) = ("train".to_owned(), Fit::default(), data.join("digests"));
        Self { path, train, test, fit, digests }
    }
}

/// Images of any size become square ones: the shorter side is resized, then the centre is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Side of the square, in pixels.
    pub size: u32,
    /// What the shorter side is resized to, in pixels; not below `size`.
    pub resize: u32,
    /// Whether pictures are turned first as their Exif orientation says, as viewers do; torchvision
    /// does not.
    #[serde(default = "fit::exif::value", skip_serializing_if = "fit::exif::is")]
    pub exif: bool,
}

impl Fit {
    /// `size`, out of an upright picture resized to 8/7 of it: 256 for 224.
    pub fn around(size: u32) -> Self {
        Self { size, resize: (size * 8).div_ceil(7), exif: fit::exif::value() }
    }
}

impl Default for Fit {
    /// ImageNet's customary 224 out of 256.
    fn default() -> Self {
        Self::around(224)
    }
}

/// Where CIFAR's files lie and what they are called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cifar {
    /// Which of the two.
    pub kind: CifarKind,
    /// A folder with the files, gzipped or not, or the `.tar.gz`.
    pub path: PathBuf,
    /// Files of training images, in order.
    pub train: Vec<String>,
    /// Files of test images, in order.
    pub test: Vec<String>,
}

impl Cifar {
    /// The whole distribution, under the names that it has there.
    pub fn whole(kind: CifarKind, path: PathBuf) -> Self {
        let (train, test) = match kind {
            CifarKind::Ten => {
                ((1..=5).map(|n| format!("data_batch_{n}.bin")).collect(), "test_batch.bin")
            }
            CifarKind::Hundred => (vec!["train.bin".to_owned()], "test.bin"),
        };
        Self { kind, path, train, test: vec![test.to_owned()] }
    }
}

/// The two CIFAR data sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CifarKind {
    /// 10 classes, one label a record.
    Ten,
    /// 100 classes, a coarse and a fine label a record; the fine one is used.
    Hundred,
}

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
    /// Held out of the training images.
    Validation,
    /// Never trained on.
    Test,
}
