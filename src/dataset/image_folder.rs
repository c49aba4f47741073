//! Where a folder of images lies, and what its images are brought to.

use super::fit::Fit;
use std::path::{Path, PathBuf};

/// Where a folder of images lies, and what its images are brought to.
///
/// The images lie in `path/train/CLASS/…` and `path/val/CLASS/…`; a class is numbered by its index
/// in the sorted names of the class folders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageFolder {
    /// The folder.
    pub path: PathBuf,
    /// The folder of training images in it.
    pub train: String,
    /// The folder of test images in it: the first of these that is there.
    pub test: Vec<String>,
    /// Where class folders lie in `path` itself, the percentage of their images that is for testing.
    pub held_out: Option<u8>,
    /// A file in `path` that lists images and labels, in place of class folders.
    pub list: Option<String>,
    /// How images of any size become images of one size.
    pub fit: Fit,
    /// Where the digests of files are kept, so that they are not read anew by each command.
    pub digests: PathBuf,
}

impl ImageFolder {
    /// The usual layout: `train` and `val` (or `test`), images of 224×224; digests are kept in a
    /// folder of `data`.
    pub fn new(path: PathBuf, data: &Path) -> Self {
        let test = ["val", "test", "validation"].map(str::to_owned).to_vec();
        let (train, fit, digests) = ("train".to_owned(), Fit::default(), data.join("digests"));
        Self { path, train, test, held_out: None, list: None, fit, digests }
    }
}
