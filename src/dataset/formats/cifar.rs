//! CIFAR-10 and CIFAR-100 in their binary distributions: records of labels and 3×32×32 pixels
//! (<https://www.cs.toronto.edu/~kriz/cifar.html>).

use super::interface::{DataFormat, Format, Location, Place, Storage};
use crate::{
    dataset::{
        DataError, DataInfo, Dataset, Digests, Images, Part,
        content::Content,
        known::Known,
        packed::unpacked,
        part::{TEST, TRAIN, canonical, part_digest},
    },
    input,
    kind::{Field, Kind, Scalar},
    shape::Shape,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a pipeline says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Names {
    train: Vec<String>,
    test: Vec<String>,
}

/// The files of one of the two.
#[derive(Clone, Debug)]
struct Parts {
    kind: CifarKind,
    names: Names,
}

/// CIFAR-10's training and test files.
const FILES_10: [&[&str]; 2] = [
    &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    &["test_batch.bin"],
];
/// CIFAR-100's.
const FILES_100: [&[&str]; 2] = [&["train.bin"], &["test.bin"]];

const TRAIN_DOC: &str = "the files of training images";
const TEST_DOC: &str = "the files of test images";
const SOURCE: &str = "A. Krizhevsky 2009, *Learning Multiple Layers of Features from Tiny Images*";

pub(super) const TEN: Kind<dyn DataFormat> = Kind {
    name: "cifar10",
    doc: "CIFAR-10's binary distribution: its files, gzipped or not, or its `.tar.gz`",
    source: SOURCE,
    fields: &[
        Field::texts("train", TRAIN_DOC).or(Scalar::Words(FILES_10[0])),
        Field::texts("test", TEST_DOC).or(Scalar::Words(FILES_10[1])),
    ],
    make: |fields| {
        let names = Kind::<dyn DataFormat>::read(fields);
        Ok(Arc::new(Parts { kind: CifarKind::Ten, names }))
    },
};

pub(super) const HUNDRED: Kind<dyn DataFormat> = Kind {
    name: "cifar100",
    doc: "CIFAR-100's binary distribution, with its fine labels",
    source: SOURCE,
    fields: &[
        Field::texts("train", TRAIN_DOC).or(Scalar::Words(FILES_100[0])),
        Field::texts("test", TEST_DOC).or(Scalar::Words(FILES_100[1])),
    ],
    make: |fields| {
        let names = Kind::<dyn DataFormat>::read(fields);
        Ok(Arc::new(Parts { kind: CifarKind::Hundred, names }))
    },
};

impl DataFormat for Parts {
    fn location(&self) -> Location {
        Location::Data
    }

    fn at(&self, place: &Place<'_>) -> Format {
        let Self { kind, names: Names { train, test } } = self.clone();
        Cifar { kind, path: place.path.to_owned(), train, test }.into()
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
        let files = match kind {
            CifarKind::Ten => FILES_10,
            CifarKind::Hundred => FILES_100,
        };
        let [train, test] = files.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        Self { kind, path, train, test }
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

impl Storage for Cifar {
    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn load(&self) -> Result<Dataset, DataError> {
        read(self)
    }

    /// Of parts of the distribution, the files that are named.
    fn known(&self) -> Option<DataInfo> {
        let whole = Self::whole(self.kind, self.path.clone());
        let of_file = |name: &String| match (self.kind, name.as_str()) {
            (CifarKind::Hundred, "train.bin") => Some(50_000),
            _ if whole.train.contains(name) || whole.test.contains(name) => Some(10_000),
            _ => None,
        };
        let count = |names: &[String]| names.iter().map(of_file).sum::<Option<usize>>();
        let (train, test) = (count(&self.train)?, count(&self.test)?);
        let Layout { format, classes, .. } = self.kind.layout();
        Some(
            Known { shape: [3, 32, 32], classes: *classes, train, test, digests: None }
                .info(format),
        )
    }

    fn class_labels(&self) -> Option<Vec<String>> {
        (self.kind == CifarKind::Ten).then(|| LABELS_10.map(str::to_owned).to_vec())
    }

    fn how_to_get(&self) -> String {
        format!("takd data fetch {}", self.kind.layout().format)
    }
}

const SHAPE: Shape = Shape { channels: 3, height: 32, width: 32 };

/// `batches.meta.txt` of CIFAR-10's distribution.
const LABELS_10: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

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

const LAYOUT_10: Layout = Layout {
    format: "cifar10",
    labels: 1,
    classes: 10,
    folder: "cifar-10-batches-bin",
    archive: "cifar-10-binary.tar.gz",
    help: "`takd data fetch cifar10` gets it, or `path` names the folder with the unpacked files, or \
           the .tar.gz",
};

/// A coarse label comes before the fine one.
const LAYOUT_100: Layout = Layout {
    format: "cifar100",
    labels: 2,
    classes: 100,
    folder: "cifar-100-binary",
    archive: "cifar-100-binary.tar.gz",
    help: "`takd data fetch cifar100` gets it, or `path` names the folder with the unpacked files, or \
           the .tar.gz",
};

impl CifarKind {
    fn layout(self) -> &'static Layout {
        match self {
            Self::Ten => &LAYOUT_10,
            Self::Hundred => &LAYOUT_100,
        }
    }
}

/// All images, whichever way their files are packed.
fn read(cifar: &Cifar) -> Result<Dataset, DataError> {
    let layout = cifar.kind.layout();
    let wanted = [cifar.train.as_slice(), &cifar.test].concat();
    let files = files(&cifar.path, &wanted, layout)?;
    let part = |part, names: &[String]| {
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for name in names {
            let (file, bytes) = &files[name];
            append(&mut images, &mut labels, file, bytes, layout)?;
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

/// The wanted files, each with its path for messages.
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
        let paths = folders.iter().flat_map(|f| [f.join(name), f.join(format!("{name}.gz"))]);
        let Some(path) = paths.into_iter().find(|path| path.is_file()) else {
            if archive.is_file() {
                return from_archive(&archive, wanted, layout);
            }
            return Err(missing(&path.join(name), io::Error::other("no such file"), layout));
        };
        let bytes =
            input::read(&path, MOST_BYTES).map_err(|error| missing(&path, error, layout))?;
        let file = path.display().to_string();
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
            io::Error::other(format!(
                "it unpacks to more than {most}, too much for a CIFAR archive"
            ))
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
            "{length} bytes are not a whole number of {record}-byte records: record {whole} is cut short"
        ));
    }
    for (index, record) in bytes.chunks_exact(record).enumerate() {
        let label = record[layout.labels - 1];
        if usize::from(label) >= layout.classes {
            let classes = layout.classes;
            return damaged(format!(
                "record {index}: label {label}, but there are {classes} classes"
            ));
        }
        labels.push(label.into());
        images.extend_from_slice(&record[layout.labels..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Presence;

    #[test]
    fn parts_of_cifar_are_counted_and_other_files_are_unknown() {
        let mut cifar = Cifar::whole(CifarKind::Ten, "data".into());
        cifar.train.truncate(2);
        let info = cifar.known().unwrap();
        assert_eq!((info.train, info.test, info.classes), (20_000, 10_000, 10));
        assert_eq!(info.presence, Presence::Unknown);
        cifar.train.push("own.bin".to_owned());
        assert_eq!(cifar.known(), None);
        let cifar = Cifar::whole(CifarKind::Hundred, "data".into());
        assert_eq!(cifar.known().unwrap().train, 50_000);
    }
}
