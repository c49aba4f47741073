//! Data sets in MNIST's four IDX files.

mod find;

use super::interface::{DataFormat, Format, Location, Place, Storage};
use crate::{
    dataset::{
        DataError, DataInfo, Dataset, Digests, Images, Part,
        idx_file::{IdxFile, Order},
        known::Known,
        part::{TEST, TRAIN, part_digest},
    },
    kind::Kind,
    shape::Shape,
};
use find::{NAMES, find, missing};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a pipeline says of it.
#[derive(Clone, Copy, Debug)]
struct Fields;

pub(super) const KIND: Kind<dyn DataFormat> = Kind {
    name: "idx",
    doc: "MNIST's four IDX files, gzipped or not, under the names of MNIST, EMNIST or torchvision",
    source: "LeCun, Cortes, Burges: *The MNIST database of handwritten digits*",
    fields: &[],
    make: |_| Ok(Arc::new(Fields)),
};

impl DataFormat for Fields {
    fn location(&self) -> Location {
        Location::Given("the folder that holds the four IDX files")
    }

    fn at(&self, place: &Place<'_>) -> Format {
        Idx(place.path.to_owned()).into()
    }
}

/// A folder with MNIST's four IDX files, gzipped or not.
#[derive(Clone, Debug)]
pub struct Idx(
    /// The folder; of several data sets in it, followed by what the names of one begin with.
    pub PathBuf,
);

/// LeCun, Cortes, Burges: The MNIST database of handwritten digits.
const MNIST: Known =
    Known { shape: [1, 28, 28], classes: 10, train: 60_000, test: 10_000, digests: None };

/// Xiao, Rasul, Vollgraf 2017 (arXiv 1708.07747), as Debian's `dataset-fashion-mnist` has it.
const FASHION_MNIST: Known = Known {
    digests: Some([
        "a640fb694b683acc2f146dd31c7bc0c9143a6d46b8b12ecb50ccdcb980e706ff",
        "f1302e465d8258d5b2c8cb5902a120d1f3162f7edd0818bd70065c57a63fbd38",
    ]),
    ..MNIST
};

impl Storage for Idx {
    fn path(&self) -> Option<&Path> {
        Some(&self.0)
    }

    fn load(&self) -> Result<Dataset, DataError> {
        load(&self.0)
    }

    fn known(&self) -> Option<DataInfo> {
        let names = self.0.iter().rev().take(2).map(|name| name.to_string_lossy());
        let bare = |name: &str| name.to_lowercase().replace(['-', '_'], "");
        names.into_iter().find_map(|name| match bare(&name).as_str() {
            "fashionmnist" => Some(FASHION_MNIST.info("fashion-mnist")),
            "mnist" => Some(MNIST.info("mnist")),
            _ => None,
        })
    }

    fn how_to_get(&self) -> String {
        format!("put its four files into {}", self.0.display())
    }
}

/// Reads the files in a folder.
fn load(folder: &Path) -> Result<Dataset, DataError> {
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

/// Labels and images of a part, and the file of labels for messages.
struct Read {
    images: Vec<u8>,
    shape: Shape,
    labels: Vec<u8>,
    files: [String; 2],
    digests: [blake3::Hash; 2],
}

/// The data set in four files, training and test, images first.
pub(super) fn dataset(
    train: [IdxFile<'_>; 2],
    test: [IdxFile<'_>; 2],
) -> Result<Dataset, DataError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Presence;

    #[test]
    fn pixels_become_planes() {
        let shape = Shape { channels: 3, height: 1, width: 2 };
        let images = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
        assert_eq!(planes(&images, shape), [1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16]);
    }

    #[test]
    fn what_is_known_of_fashion_mnist_is_what_its_files_say() {
        let format = Idx("/usr/share/datasets/fashion-mnist".into());
        let Ok(there) = format.probe() else {
            println!("skipped: no Debian package dataset-fashion-mnist");
            return;
        };
        let known = format.known().unwrap();
        assert_eq!(
            DataInfo { presence: Presence::Here, ..known },
            DataInfo { notes: vec![], ..there }
        );
    }
}
