//! CIFAR-10 and CIFAR-100 in their binary distributions: records of labels and 3×32×32 pixels
//! (<https://www.cs.toronto.edu/~kriz/cifar.html>).

use super::{
    DataError, Dataset,
    content::Content,
    dataset::{Images, Part},
    packed::unpacked,
    part::{TEST, TRAIN, canonical, part_digest},
};
use crate::{
    config::{Cifar, CifarKind, Digests, Shape},
    input,
};
use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
};

const SHAPE: Shape = Shape { channels: 3, height: 32, width: 32 };

/// Most bytes of one file of records, unpacked: three times CIFAR-100's training images.
const MOST_BYTES: u64 = 1 << 29;
/// Most bytes of an archive, unpacked: six times what those distributed have.
const MOST_UNPACKED: u64 = 1 << 30;

/// What tells the two apart.
struct Layout {
    /// The language's word for it.
    format: &'static str,
    /// Bytes before a record's pixels; the last of them is the label.
    labels: usize,
    classes: usize,
    /// The folder in the archive.
    folder: &'static str,
    /// The archive as it is distributed.
    archive: &'static str,
    /// What to do where it is missing.
    help: &'static str,
}

const TEN: Layout = Layout {
    format: "cifar10",
    labels: 1,
    classes: 10,
    folder: "cifar-10-batches-bin",
    archive: "cifar-10-binary.tar.gz",
    help: "`takd data fetch cifar10` gets it, or `path` names the folder with the unpacked files, or \
           the .tar.gz",
};

/// A coarse label comes before the fine one.
const HUNDRED: Layout = Layout {
    format: "cifar100",
    labels: 2,
    classes: 100,
    folder: "cifar-100-binary",
    archive: "cifar-100-binary.tar.gz",
    help: "`takd data fetch cifar100` gets it, or `path` names the folder with the unpacked files, or \
           the .tar.gz",
};

/// All images, whichever way their files are packed.
pub(super) fn read(cifar: &Cifar) -> Result<Dataset, DataError> {
    let layout = match cifar.kind {
        CifarKind::Ten => TEN,
        CifarKind::Hundred => HUNDRED,
    };
    let wanted = [cifar.train.as_slice(), &cifar.test].concat();
    let files = files(&cifar.path, &wanted, &layout)?;
    let part = |part, names: &[String]| {
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for name in names {
            let (place, bytes) = &files[name];
            append(&mut images, &mut labels, place, bytes, &layout)?;
        }
        let contents = names.iter().map(|name| (canonical(name), blake3::hash(&files[name].1)));
        let digest = part_digest(layout.format, part, &[], contents);
        Ok((Part { images: Images::Bytes(images), labels }, digest))
    };
    let (train, train_digest) = part(TRAIN, &cifar.train)?;
    let (test, test_digest) = part(TEST, &cifar.test)?;
    let digests = Digests { train: train_digest, test: test_digest };
    let classes = layout.classes;
    Ok(Dataset { shape: SHAPE, classes, train, test, digests, notes: Vec::new() })
}

/// The wanted files, each with its place for messages.
fn files(
    path: &Path,
    wanted: &[String],
    layout: &Layout,
) -> Result<BTreeMap<String, (String, Vec<u8>)>, DataError> {
    let archive = path.join(layout.archive);
    if path.is_file() {
        return from_archive(path, wanted, layout);
    }
    let mut found = BTreeMap::new();
    for name in wanted {
        let folders = [path.to_owned(), path.join(layout.folder)];
        let places = folders.iter().flat_map(|f| [f.join(name), f.join(format!("{name}.gz"))]);
        let Some(place) = places.into_iter().find(|place| place.is_file()) else {
            if archive.is_file() {
                return from_archive(&archive, wanted, layout);
            }
            return Err(missing(&path.join(name), io::Error::other("no such file"), layout));
        };
        let bytes =
            input::read(&place, MOST_BYTES).map_err(|error| missing(&place, error, layout))?;
        let file = place.display().to_string();
        let bytes = unpacked(&file, bytes, MOST_BYTES)?;
        found.insert(name.clone(), (file, bytes));
    }
    Ok(found)
}

fn from_archive(
    path: &Path,
    wanted: &[String],
    layout: &Layout,
) -> Result<BTreeMap<String, (String, Vec<u8>)>, DataError> {
    let damaged = |error: io::Error| DataError::Damaged {
        file: path.display().to_string(),
        problem: format!("not a whole .tar.gz archive: {error}"),
    };
    let (file, _) = input::open(path).map_err(|error| missing(path, error, layout))?;
    let content = flate2::read::MultiGzDecoder::new(io::BufReader::new(file));
    let mut archive = tar::Archive::new(Bounded { content, left: MOST_UNPACKED });
    let mut found = BTreeMap::new();
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name =
            entry.path().map_err(damaged)?.file_name().map(|n| n.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|name| wanted.contains(name)) {
            if entry.size() > MOST_BYTES {
                return Err(damaged(io::Error::other(format!(
                    "{name} in it claims {}, and at most {} are read",
                    input::size(entry.size()),
                    input::size(MOST_BYTES)
                ))));
            }
            let bytes = input::read_up_to(entry, MOST_BYTES).map_err(damaged)?;
            found.insert(name.clone(), (format!("{}:{name}", path.display()), bytes));
        }
    }
    match wanted.iter().find(|name| !found.contains_key(*name)) {
        None => Ok(found),
        Some(name) => Err(DataError::Damaged {
            file: path.display().to_string(),
            problem: format!("it holds no {name}"),
        }),
    }
}

/// Ends with an error where something else would go on to be unpacked.
struct Bounded<R> {
    content: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let most = input::size(MOST_UNPACKED);
            io::Error::other(format!("it unpacks to more than {most}, which is no CIFAR archive"))
        })?;
        Ok(read)
    }
}

fn missing(path: &Path, error: io::Error, layout: &Layout) -> DataError {
    DataError::Missing { file: path.display().to_string(), error, help: layout.help.to_owned() }
}

/// Takes a file's records apart.
fn append(
    images: &mut Vec<u8>,
    labels: &mut Vec<u16>,
    file: &str,
    bytes: &[u8],
    layout: &Layout,
) -> Result<(), DataError> {
    let record = layout.labels + SHAPE.size();
    let damaged = |problem| Err(DataError::Damaged { file: file.to_owned(), problem });
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        let whole = bytes.len() / record;
        let length = bytes.len();
        if let Some(what) = Content::of(bytes).told() {
            return damaged(what);
        }
        return damaged(format!(
            "{length} bytes are no whole number of {record}-byte records: record {whole} is cut short"
        ));
    }
    for (place, record) in bytes.chunks_exact(record).enumerate() {
        let label = record[layout.labels - 1];
        if usize::from(label) >= layout.classes {
            let classes = layout.classes;
            return damaged(format!(
                "record {place}: label {label}, but there are {classes} classes"
            ));
        }
        labels.push(label.into());
        images.extend_from_slice(&record[layout.labels..]);
    }
    Ok(())
}
