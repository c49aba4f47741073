//! A data set's bytes, from wherever they lie.

use super::{DataError, files::Files};
use crate::{
    dataset::{DataInfo, Digests, Normalisation, Presence},
    shape::Shape,
};
use std::sync::Arc;

/// Images with their labels.
pub struct Dataset {
    /// Shape of one image.
    pub shape: Shape,
    /// Number of classes.
    pub classes: usize,
    /// Training images and labels; a sample's id is its index here.
    pub train: Part,
    /// Test images and labels.
    pub test: Part,
    /// Digests of what has been read, to compare with those that keys were made of.
    pub digests: Digests,
    /// What a user should know of them, a line each.
    pub notes: Vec<String>,
}

impl Dataset {
    /// What keys and checks need to know of it.
    pub(super) fn info(&self) -> DataInfo {
        let Self { shape, classes, train, test, digests, notes } = self;
        DataInfo {
            digests: digests.clone(),
            shape: *shape,
            classes: *classes,
            train: train.labels.len(),
            test: test.labels.len(),
            notes: notes.clone(),
            presence: Presence::Here,
        }
    }

    /// Measures what `normalisation` needs of images in files, for every [`View`](super::View) of them
    /// to come; `stop` is asked before each image, and ends it with [`DataError::Stopped`].
    ///
    /// # Errors
    /// [`DataError`] if it was stopped, or an image cannot be read.
    pub fn measure(
        &self,
        normalisation: &Normalisation,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), DataError> {
        if let (Normalisation::Measured, Images::Files(files)) = (normalisation, &self.train.images)
        {
            files.sums(stop)?;
        }
        Ok(())
    }
}

/// The images of one split with their labels.
pub struct Part {
    /// The images.
    pub images: Images,
    /// A label for each image.
    pub labels: Vec<u16>,
}

/// Images in memory, or where they are read from.
pub enum Images {
    /// Pixels of all images, one after another: `[count, channels, height, width]`.
    Bytes(Vec<u8>),
    /// Files that are decoded when they are needed, too many to hold.
    Files(Arc<Files>),
}

impl Dataset {
    /// Images in files that have not been decoded since they were last changed.
    pub fn undecoded(&self) -> usize {
        self.files().map(|files| files.undecoded().len()).sum()
    }

    /// Decodes them, on as many threads as the caller's rayon pool has, so that a damaged image is
    /// found before work is lost by it; what could be decoded is remembered. `done` hears of each.
    ///
    /// # Errors
    /// [`DataError`] names each file that cannot be read or decoded.
    pub fn decode_new(&self, done: &(dyn Fn() + Sync)) -> Result<(), DataError> {
        let decode = |files: &Arc<Files>| files.decode_once(&files.undecoded(), done);
        let mut found: Vec<DataError> = self.files().flat_map(decode).collect();
        match found.len() {
            0 => Ok(()),
            1 => Err(found.swap_remove(0)),
            _ => Err(DataError::Several(found)),
        }
    }

    fn files(&self) -> impl Iterator<Item = &Arc<Files>> {
        [&self.train, &self.test].into_iter().filter_map(|part| match &part.images {
            Images::Files(files) => Some(files),
            Images::Bytes(_) => None,
        })
    }
}
