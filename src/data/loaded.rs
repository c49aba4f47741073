//! A data set's bytes, from wherever they lie.

use super::{cifar, files::Files, folder, idx_files, listing::Listing};
use crate::{
    config::{DataInfo, Digests, Format, ImageFolder, Normalisation, Presence, Shape},
    input,
};
use std::{io, sync::Arc};

/// Images with their labels.
pub struct Dataset {
    /// Shape of one image.
    pub shape: Shape,
    /// Number of classes.
    pub classes: usize,
    /// Training images and labels; a sample's id is its place here.
    pub train: Part,
    /// Test images and labels.
    pub test: Part,
    /// Digests of what has been read, to compare with those that keys were made of.
    pub digests: Digests,
    /// What a user should know of them, a line each.
    pub notes: Vec<String>,
}

impl Dataset {
    fn info(&self) -> DataInfo {
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

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is not there or cannot be read.
    #[error("cannot read {file}: {error}; {help}")]
    Missing {
        /// The file or folder.
        file: String,
        /// What the system says.
        error: io::Error,
        /// What to do.
        help: String,
    },
    /// A file's content is not what its format says.
    #[error("{file}: {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What and where.
        problem: String,
    },
    /// More than one file is not as it should be.
    #[error("{}", list(.0))]
    Several(Vec<DataError>),
    /// The system gives no threads.
    #[error("cannot start threads that decode images: {0}")]
    Threads(std::io::Error),
    /// Whoever oversees the reading said so.
    #[error("stopped")]
    Stopped,
    /// A decoder ended without a word.
    #[error(
        "the decoder of images failed; `takd data check` with the folder's name finds the file"
    )]
    Decoder,
}

/// Errors shown in full.
const MOST_SHOWN: usize = 20;

fn list(errors: &[DataError]) -> String {
    let shown: Vec<String> = errors.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    let more = errors.len().saturating_sub(MOST_SHOWN);
    let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
    format!("{} files are not usable:\n{}{rest}", errors.len(), shown.join("\n"))
}

/// Finds out what keys and checks need to know.
///
/// # Errors
/// [`DataError`] names the file that is missing or damaged, and where.
pub fn probe(format: &Format) -> Result<DataInfo, DataError> {
    if let Format::Folder(images) = format {
        return folder::probe(images);
    }
    Ok(load(format)?.info())
}

/// Reads every file of a data set, whatever is known of it already, and says what is in it.
///
/// # Errors
/// [`DataError`] names the files that are damaged, and where.
pub fn verify(format: &Format) -> Result<DataInfo, DataError> {
    let (info, dataset) = renew(format)?;
    dataset.decode_new(&|| {})?;
    Ok(info)
}

/// What is in a data set, whatever is known of it already; images in files are read and not decoded,
/// which is for [`Dataset::decode_new`].
///
/// # Errors
/// [`DataError`] names the file that is missing or damaged, and where.
pub fn renew(format: &Format) -> Result<(DataInfo, Dataset), DataError> {
    if let Format::Folder(images) = format {
        return folder::renew(images);
    }
    let dataset = load(format)?;
    Ok((dataset.info(), dataset))
}

/// Numbers of classes, training files and test files, of a folder of images without a look into its
/// files.
///
/// # Errors
/// [`DataError`] if it is not there or its folders are not as they must be.
pub fn counts(images: &ImageFolder) -> Result<[usize; 3], DataError> {
    let Listing { classes, train, test, .. } = Listing::new(images)?;
    Ok([classes.len(), train.names.len(), test.names.len()])
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

/// Reads all images and labels; of a folder of images the names alone.
///
/// # Errors
/// [`DataError`] names the file and the byte or record.
pub fn load(format: &Format) -> Result<Dataset, DataError> {
    match format {
        Format::FashionMini => idx_files::embedded(),
        Format::Idx(folder) => idx_files::load(folder),
        Format::Cifar(cifar) => cifar::read(cifar),
        Format::Folder(images) => folder::load(images),
    }
}

/// A file's content, out of its gzip if it is in one: at most `most` bytes.
pub(super) fn unpacked(file: &str, bytes: Vec<u8>, most: u64) -> Result<Vec<u8>, DataError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let content = flate2::read::MultiGzDecoder::new(bytes.as_slice());
    input::read_up_to(content, most).map_err(|error| {
        let problem = format!("its gzip cannot be unpacked: {error}");
        DataError::Damaged { file: file.to_owned(), problem }
    })
}
