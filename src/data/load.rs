//! A data set by its format.

use super::{DataError, Dataset, cifar, folder, idx_files, listing::Listing};
use crate::config::{DataInfo, Format, ImageFolder};

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
