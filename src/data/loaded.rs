//! A data set's bytes, from wherever they lie.

use super::{cifar, fashion_mini, files::Files, folder, idx::IdxFile, listing::Listing};
use crate::{
    config::{DataInfo, Format, ImageFolder, Normalisation, Shape},
    input,
};
use std::{io, path::Path, sync::Arc};

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
}

impl Dataset {
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
    Threads(rayon::ThreadPoolBuildError),
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

const IDX_HELP: &str = "the folder needs MNIST's four files, gzipped or not (Debian's package \
    dataset-fashion-mnist puts them in /usr/share/datasets/fashion-mnist or the like)";

/// Most bytes of one IDX file: 20 times EMNIST's largest.
const MOST_IDX: u64 = 12 << 30;

/// File names, without `.gz`: training images and labels, test images and labels.
const IDX_FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Four files' names and contents, in the order of [`IDX_FILES`].
type Sources = [(String, Vec<u8>); 4];

/// Finds out what keys and checks need to know.
///
/// # Errors
/// [`DataError`] if a file is missing or its header is damaged.
pub fn probe(format: &Format) -> Result<DataInfo, DataError> {
    let sources = match format {
        Format::Cifar(cifar) => {
            let (Dataset { shape, classes, train, test }, digest) = cifar::read(cifar)?;
            let (train, test) = (train.labels.len(), test.labels.len());
            return Ok(DataInfo { digest, shape, classes, train, test, notes: Vec::new() });
        }
        Format::Folder(images) => return folder::probe(images),
        Format::FashionMini => embedded(),
        Format::Idx(folder) => read_folder(folder)?,
    };
    let mut hasher = blake3::Hasher::new();
    for (_, bytes) in &sources {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    let [train_images, train_labels, test_images, test_labels] = &sources;
    let (train, shape) = pair_header(train_images, train_labels)?;
    let (test, test_shape) = pair_header(test_images, test_labels)?;
    if test_shape != shape {
        return Err(DataError::Damaged {
            file: test_images.0.clone(),
            problem: format!("images of {test_shape}, but the training images are {shape}"),
        });
    }
    let classes = classes(train_labels)?;
    let (digest, notes) = (hasher.finalize().to_hex().to_string(), Vec::new());
    Ok(DataInfo { digest, shape, classes, train, test, notes })
}

/// Reads every file of a data set, whatever is known of it already, and says what is in it.
///
/// # Errors
/// [`DataError`] names the files that are damaged, and where.
pub fn verify(format: &Format) -> Result<DataInfo, DataError> {
    match format {
        Format::Folder(images) => folder::verify(images),
        // Their probe reads labels and digests; the images are read here.
        Format::FashionMini | Format::Idx(_) | Format::Cifar(_) => {
            load(format)?;
            probe(format)
        }
    }
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
    let [train_images, train_labels, test_images, test_labels] = match format {
        Format::Cifar(cifar) => return cifar::read(cifar).map(|(dataset, _)| dataset),
        Format::Folder(images) => return folder::load(images),
        Format::FashionMini => embedded(),
        Format::Idx(folder) => read_folder(folder)?,
    };
    let classes = classes(&train_labels)?;
    let (train, shape) = part(&train_images, &train_labels, classes)?;
    let (test, _) = part(&test_images, &test_labels, classes)?;
    Ok(Dataset { shape, classes, train, test })
}

fn embedded() -> Sources {
    fashion_mini::FILES.map(|(name, bytes)| (format!("fashion-mini/{name}"), bytes.to_vec()))
}

fn read_folder(folder: &Path) -> Result<Sources, DataError> {
    let mut found = Vec::with_capacity(4);
    for name in IDX_FILES {
        found.push(read_idx(folder, name)?);
    }
    Ok(found.try_into().expect("one file is pushed for each of four names"))
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

fn read_idx(folder: &Path, name: &str) -> Result<(String, Vec<u8>), DataError> {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    let path = if packed.exists() && !plain.exists() { packed } else { plain };
    let file = path.display().to_string();
    match input::read(&path, MOST_IDX) {
        Ok(bytes) => Ok((file, bytes)),
        Err(error) => Err(DataError::Missing { file, error, help: IDX_HELP.to_owned() }),
    }
}

fn pair_header(
    images: &(String, Vec<u8>),
    labels: &(String, Vec<u8>),
) -> Result<(usize, Shape), DataError> {
    let (count, shape) = IdxFile::new(&images.0, &images.1).image_header()?;
    let labelled = IdxFile::new(&labels.0, &labels.1).label_header()?;
    if labelled != count {
        let problem = format!("{labelled} labels for the {count} images of {}", images.0);
        return Err(DataError::Damaged { file: labels.0.clone(), problem });
    }
    Ok((count, shape))
}

/// Classes are numbered from 0 without gaps, so the highest training label tells.
fn classes(labels: &(String, Vec<u8>)) -> Result<usize, DataError> {
    let labels = read_labels(labels)?;
    Ok(labels.iter().max().map_or(0, |&highest| usize::from(highest) + 1))
}

fn read_labels((name, bytes): &(String, Vec<u8>)) -> Result<Vec<u8>, DataError> {
    let mut file = IdxFile::new(name, bytes);
    let count = file.label_header()?;
    file.body(count)
}

fn part(
    images: &(String, Vec<u8>),
    labels: &(String, Vec<u8>),
    classes: usize,
) -> Result<(Part, Shape), DataError> {
    let (count, shape) = pair_header(images, labels)?;
    let mut file = IdxFile::new(&images.0, &images.1);
    file.image_header()?;
    let pixels = file.body(count * shape.size())?;
    let values = read_labels(labels)?;
    if let Some(record) = values.iter().position(|&label| usize::from(label) >= classes) {
        let problem =
            format!("record {record}: label {}, but there are {classes} classes", values[record]);
        return Err(DataError::Damaged { file: labels.0.clone(), problem });
    }
    let labels = values.into_iter().map(u16::from).collect();
    Ok((Part { images: Images::Bytes(pixels), labels }, shape))
}
