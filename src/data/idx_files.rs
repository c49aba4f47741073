//! Data sets in IDX files: finding the four, whatever those who distribute them call them, and
//! reading them.

use super::{
    DataError, Dataset,
    dataset::{Images, Part},
    fashion_mini,
    idx::{IdxFile, Order},
    part::{TEST, TRAIN, part_digest},
};
use crate::config::{Digests, Shape};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const HELP: &str = "the folder needs MNIST's four files, gzipped or not (Debian's package \
    dataset-fashion-mnist puts them in /usr/share/datasets/fashion-mnist or the like)";

/// What the four files are called by MNIST: training images and labels, test images and labels.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The files of one data set, by their place among [`NAMES`]; the same file may be there in several
/// packings.
type Four = [Vec<PathBuf>; 4];

/// Reads the files in a folder.
///
/// # Errors
/// [`DataError`] names the file that is missing or damaged, and where.
pub(super) fn load(folder: &Path) -> Result<Dataset, DataError> {
    let (prefix, [train_images, train_labels, test_images, test_labels]) = find(folder)?;
    let open = |path: PathBuf| {
        IdxFile::open(&path).map_err(|error| missing(path.display().to_string(), error))
    };
    let train = [open(train_images)?, open(train_labels)?];
    let mut dataset = dataset(train, [open(test_images)?, open(test_labels)?])?;
    if prefix.starts_with("emnist") {
        let note = "EMNIST's images are distributed with rows and columns swapped, and are read so";
        dataset.notes.push(note.to_owned());
    }
    Ok(dataset)
}

/// Reads the images inside takd.
pub(super) fn embedded() -> Result<Dataset, DataError> {
    let open = |(name, bytes)| {
        let name = format!("fashion-mini/{name}");
        IdxFile::of(&name, bytes).map_err(|error| missing(name, error))
    };
    let [train_images, train_labels, test_images, test_labels] = fashion_mini::FILES;
    dataset([open(train_images)?, open(train_labels)?], [open(test_images)?, open(test_labels)?])
}

fn missing(file: String, error: io::Error) -> DataError {
    DataError::Missing { file, error, help: HELP.to_owned() }
}

/// Labels and images of a part, and the file of labels for messages.
struct Read {
    images: Vec<u8>,
    shape: Shape,
    labels: Vec<u8>,
    files: [String; 2],
    digests: [blake3::Hash; 2],
}

fn dataset(train: [IdxFile<'_>; 2], test: [IdxFile<'_>; 2]) -> Result<Dataset, DataError> {
    let (mut train, mut test) = (read(train)?, read(test)?);
    let shape = train.shape;
    if test.shape != shape {
        let problem = format!("images of {}, but the training images are {shape}", test.shape);
        return Err(DataError::Damaged { file: test.files[0].clone(), problem });
    }
    let mut notes = Vec::new();
    let bounds = |labels: &[u8]| {
        labels.iter().fold((u8::MAX, 0), |(low, high), &label| (low.min(label), high.max(label)))
    };
    let (low, high) = bounds(&train.labels);
    // Labels are numbered from 0 without gaps, so the highest tells how many there are; EMNIST's
    // letters are numbered from 1.
    let shift = u8::from(low == 1);
    if shift == 1 {
        notes.push(format!("labels 1 to {high} are read as classes 0 to {}", high - 1));
    }
    if let Some(record) = test.labels.iter().position(|label| !(shift..=high).contains(label)) {
        let label = test.labels[record];
        let problem =
            format!("record {record}: label {label}, but the training labels are {low} to {high}");
        return Err(DataError::Damaged { file: test.files[1].clone(), problem });
    }
    for labels in [&mut train.labels, &mut test.labels] {
        labels.iter_mut().for_each(|label| *label -= shift);
    }
    let classes = usize::from(high - shift) + 1;
    // The training labels decide what the test labels mean.
    let first: &[String] = if shift == 1 { &["1".to_owned()] } else { &[] };
    let digest = |part, names: [&'static str; 2], read: &Read| {
        part_digest("idx", part, first, names.into_iter().zip(read.digests))
    };
    let digests = Digests {
        train: digest(TRAIN, [NAMES[0], NAMES[1]], &train),
        test: digest(TEST, [NAMES[2], NAMES[3]], &test),
    };
    let part = |read: Read| Part {
        images: Images::Bytes(read.images),
        labels: read.labels.into_iter().map(u16::from).collect(),
    };
    Ok(Dataset { shape, classes, train: part(train), test: part(test), digests, notes })
}

fn read([mut images, mut labels]: [IdxFile<'_>; 2]) -> Result<Read, DataError> {
    let (count, shape, order) = images.image_header()?;
    let labelled = labels.label_header()?;
    let files = [images.name().to_owned(), labels.name().to_owned()];
    if labelled != count {
        let problem = format!("{labelled} labels for the {count} images of {}", files[0]);
        return Err(DataError::Damaged { file: files[1].clone(), problem });
    }
    let (labels, label_digest) = labels.body(count)?;
    let (mut images, image_digest) = images.body(count * shape.size())?;
    if order == Order::Pixels {
        images = planes(&images, shape);
    }
    Ok(Read { images, shape, labels, files, digests: [image_digest, label_digest] })
}

/// Images whose colours lie one after another, out of images whose pixels do.
fn planes(images: &[u8], shape: Shape) -> Vec<u8> {
    let mut out = Vec::with_capacity(images.len());
    for image in images.chunks_exact(shape.size()) {
        for channel in 0..shape.channels {
            out.extend(image.iter().skip(channel).step_by(shape.channels));
        }
    }
    out
}

/// The four files of the data set that `path` names, and what their names begin with: in the folder
/// itself, in torchvision's `MNIST/raw`, or those in its parent that begin with its last part.
fn find(path: &Path) -> Result<(String, [PathBuf; 4]), DataError> {
    let mut sets = sets(path)?;
    if sets.is_empty() {
        for folder in folders(path) {
            sets.extend(self::sets(&folder)?);
            sets.extend(self::sets(&folder.join("raw"))?);
        }
    }
    if sets.is_empty()
        && let (Some(parent), Some(prefix)) = (path.parent(), path.file_name())
    {
        let here = Path::new(".");
        sets = self::sets(if parent.as_os_str().is_empty() { here } else { parent })?;
        sets.retain(|(_, name), _| prefix.eq_ignore_ascii_case(name));
    }
    if sets.len() > 1 {
        let names = sets.keys().map(|(folder, prefix)| {
            let place = folder.join(prefix);
            format!("\n  path = \"{}\"", place.display())
        });
        let problem =
            format!("more than one data set; name one of them:{}", names.collect::<String>());
        return Err(DataError::Damaged { file: path.display().to_string(), problem });
    }
    let Some(((folder, prefix), four)) = sets.into_iter().next() else {
        let file = path.join(NAMES[0]).display().to_string();
        return Err(missing(file, io::Error::other("no such file")));
    };
    let mut found = Vec::with_capacity(4);
    for (files, name) in four.into_iter().zip(NAMES) {
        found.push(one(files, &folder, &prefix, name)?);
    }
    Ok((prefix, found.try_into().expect("one file is pushed for each of four names")))
}

/// The file that is meant, out of those of one name.
fn one(
    mut files: Vec<PathBuf>,
    folder: &Path,
    prefix: &str,
    name: &str,
) -> Result<PathBuf, DataError> {
    let is_packed =
        |file: &PathBuf| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    if !files.iter().all(is_packed) {
        files.retain(|file| !is_packed(file));
    }
    files.sort();
    let problem = match (files.pop(), files.pop()) {
        (Some(file), None) => return Ok(file),
        (Some(file), Some(other)) => {
            let (file, other) = (file.display(), other.display());
            format!("{other} and {file} are both its {name}: remove one")
        }
        (None, _) => {
            let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}-{name}") };
            format!("no file {name}, gzipped or not, beside the others of the data set; {HELP}")
        }
    };
    Err(DataError::Damaged { file: folder.display().to_string(), problem })
}

/// The data sets whose files lie in a folder, by the folder and what their names begin with.
fn sets(folder: &Path) -> Result<BTreeMap<(PathBuf, String), Four>, DataError> {
    let mut sets: BTreeMap<(PathBuf, String), Four> = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(sets);
        }
        Err(error) => return Err(missing(folder.display().to_string(), error)),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let named = entry.file_name().to_str().and_then(named);
        // Some sites pack each file into a folder of its own name, beside the file.
        if let Some((prefix, place)) = named.filter(|_| !path.is_dir()) {
            sets.entry((folder.to_owned(), prefix)).or_default()[place].push(path);
        }
    }
    Ok(sets)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// What a name begins with, in lower case, and its place among [`NAMES`]: of
/// `emnist-letters-train-images-idx3-ubyte.gz` it is `emnist-letters` and 0.
fn named(name: &str) -> Option<(String, usize)> {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['-', '.', '_', ' ']).collect();
    let part = words.iter().position(|word| ["train", "t10k", "test"].contains(word))?;
    let labels = match *words.get(part + 1)? {
        "images" => 0,
        "labels" => 1,
        _ => return None,
    };
    if !words.get(part + 2)?.starts_with("idx") {
        return None;
    }
    let test = if words[part] == "train" { 0 } else { 2 };
    Some((words[..part].join("-"), test + labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_under_the_names_that_are_in_use() {
        for (name, found) in [
            ("train-images-idx3-ubyte", Some(("", 0))),
            ("train-labels-idx1-ubyte.gz", Some(("", 1))),
            ("t10k-images.idx3-ubyte", Some(("", 2))),
            ("test-labels-idx1-ubyte", Some(("", 3))),
            ("emnist-letters-train-images-idx3-ubyte.gz", Some(("emnist-letters", 0))),
            ("EMNIST-Letters-test-labels-idx1-ubyte", Some(("emnist-letters", 3))),
            ("qmnist-test-labels-idx2-int", Some(("qmnist", 3))),
            ("train_images.idx4_ubyte", Some(("", 0))),
            ("emnist-letters-mapping.txt", None),
            ("train.images", None),
            ("train-images.png", None),
        ] {
            let found = found.map(|(prefix, place): (&str, usize)| (prefix.to_owned(), place));
            assert_eq!(named(name), found, "{name}");
        }
    }

    #[test]
    fn pixels_become_planes() {
        let shape = Shape { channels: 3, height: 1, width: 2 };
        let images = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
        assert_eq!(planes(&images, shape), [1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16]);
    }
}
