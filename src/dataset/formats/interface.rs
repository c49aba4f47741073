//! What a data format is to takd.

use crate::{
    dataset::{DataError, DataInfo, Dataset, Fit},
    kind::Choice,
};
use serde_json::Value;
use std::{
    cmp::Ordering,
    fmt::{self, Debug},
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A format with its fields, as a pipeline names it: it can say what lies at a path.
pub trait DataFormat: Debug + Send + Sync {
    /// Where its files are looked for.
    fn location(&self) -> Location;

    /// The images in the files at `place`.
    fn at(&self, place: &Place<'_>) -> Format;

    /// Fields that suit the files at `path` better than their defaults do, for `takd init`.
    fn suited(&self, _path: &Path) -> Vec<(String, Value)> {
        Vec::new()
    }
}

/// Where a format's files are looked for when a pipeline names no `path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// They are built into takd; there is no path.
    BuiltIn,
    /// In the folder of data sets.
    Data,
    /// In the folder of data sets, under the name of the data set.
    Named,
    /// Nowhere: a pipeline must name the path, which is this.
    Given(&'static str),
}

/// Where files lie.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The files, or their folder.
    pub path: &'a Path,
    /// The folder of data sets, which also keeps digests.
    pub data: &'a Path,
}

/// The images of a data set in their files.
///
/// What `Debug` writes of it tells it from others: it must show every parameter.
pub trait Storage: Debug + Send + Sync {
    /// Where its files lie; nothing of what is built into takd.
    fn path(&self) -> Option<&Path>;

    /// Reads all images and labels; of images in files of their own the names alone.
    ///
    /// # Errors
    /// [`DataError`] names the file and the byte or record.
    fn load(&self) -> Result<Dataset, DataError>;

    /// Finds out what keys and checks need to know.
    ///
    /// # Errors
    /// [`DataError`] names the file that is missing or damaged, and where.
    fn probe(&self) -> Result<DataInfo, DataError> {
        Ok(self.load()?.info())
    }

    /// What is in it, whatever is known of it already; images in files are read and not decoded,
    /// which is for [`Dataset::decode_new`].
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn renew(&self) -> Result<(DataInfo, Dataset), DataError> {
        let dataset = self.load()?;
        Ok((dataset.info(), dataset))
    }

    /// Reads every file, whatever is known of it already, and says what is in it.
    ///
    /// # Errors
    /// [`DataError`] names the files that are damaged, and where.
    fn verify(&self) -> Result<DataInfo, DataError> {
        let (info, dataset) = self.renew()?;
        dataset.decode_new(&|| {})?;
        Ok(info)
    }

    /// Whether its files are there, damaged or not.
    fn is_there(&self) -> bool {
        !matches!(self.probe(), Err(DataError::Missing { .. }))
    }

    /// What is in it, for a list of data sets, if that takes no look into every file.
    ///
    /// # Errors
    /// As [`probe`](Self::probe).
    fn summary(&self) -> Result<String, DataError> {
        self.probe().map(|info| info.to_string())
    }

    /// What is known of the data set that its path names, if its files are not there.
    fn known(&self) -> Option<DataInfo> {
        None
    }

    /// How its files get to where they are looked for.
    fn how_to_get(&self) -> String;

    /// How images of any size become images of one size, where they are not of one size: a key hashes
    /// it.
    fn fit(&self) -> Option<Fit> {
        None
    }

    /// Names of the classes in the order of their numbers, where the files tell them.
    fn class_names(&self) -> Option<Vec<String>> {
        None
    }

    /// What people call the classes, in the order of their numbers: as the files do, or as the authors of the
    /// data set where its files tell none.
    fn class_labels(&self) -> Option<Vec<String>> {
        self.class_names()
    }

    /// Whether images lie in files of their own, which are decoded a batch at a time.
    fn in_files(&self) -> bool {
        false
    }
}

/// A [`Storage`] of some format. Two are equal if their parameters are.
#[derive(Clone)]
pub struct Format {
    storage: Arc<dyn Storage>,
    identity: String,
}

impl Format {
    /// What `choice` finds at `path`, relative paths as they are.
    pub fn new(choice: &Choice<dyn DataFormat>, path: PathBuf, data: &Path) -> Self {
        choice.at(&Place { path: &path, data })
    }
}

impl<S: Storage + 'static> From<S> for Format {
    fn from(storage: S) -> Self {
        let identity = format!("{storage:?}");
        Self { storage: Arc::new(storage), identity }
    }
}

impl Deref for Format {
    type Target = dyn Storage;

    fn deref(&self) -> &Self::Target {
        &*self.storage
    }
}

impl Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.identity)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl Eq for Format {}

impl PartialOrd for Format {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Format {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity.cmp(&other.identity)
    }
}
