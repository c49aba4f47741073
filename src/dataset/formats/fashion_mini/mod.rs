//! `fashion-mini`: a balanced subset of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) built into
//! takd, so that a first run needs no download.
//!
//! 500 training and 100 test images of each of the ten classes, drawn with a fixed seed by
//! `make.py` beside this file from Debian's `dataset-fashion-mnist`. MIT licence, in `LICENSE`.

use super::{
    idx::dataset,
    interface::{DataFormat, Format, Location, Place, Storage},
};
use crate::{
    dataset::{DataError, Dataset, idx_file::IdxFile},
    kind::Kind,
};
use std::{path::Path, sync::Arc};

/// The balanced Fashion-MNIST subset built into takd: 5,000 training, 1,000 test images.
#[derive(Clone, Copy, Debug)]
pub struct FashionMini;

pub(super) const KIND: Kind<dyn DataFormat> = Kind {
    name: "fashion-mini",
    doc: "5,000 training and 1,000 test images of Fashion-MNIST, built into takd",
    source: "Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747",
    fields: &[],
    make: |_| Ok(Arc::new(FashionMini)),
};

impl DataFormat for FashionMini {
    fn location(&self) -> Location {
        Location::BuiltIn
    }

    fn at(&self, _: &Place<'_>) -> Format {
        Self.into()
    }
}

impl Storage for FashionMini {
    fn path(&self) -> Option<&Path> {
        None
    }

    fn load(&self) -> Result<Dataset, DataError> {
        let open = |(name, bytes)| {
            let file = format!("fashion-mini/{name}");
            IdxFile::of(&file, bytes).map_err(|error| DataError::Missing {
                file,
                error,
                help: String::new(),
            })
        };
        let [train_images, train_labels, test_images, test_labels] = FILES;
        dataset(
            [open(train_images)?, open(train_labels)?],
            [open(test_images)?, open(test_labels)?],
        )
    }

    fn class_labels(&self) -> Option<Vec<String>> {
        Some(LABELS.map(str::to_owned).to_vec())
    }

    fn how_to_get(&self) -> String {
        "it is built into takd".to_owned()
    }
}

/// As in the authors' README (<https://github.com/zalandoresearch/fashion-mnist>, "Labels").
const LABELS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// File name and gzipped IDX content: training images and labels, test images and labels.
const FILES: [(&str, &[u8]); 4] = [
    ("train-images-idx3-ubyte.gz", include_bytes!("train-images-idx3-ubyte.gz")),
    ("train-labels-idx1-ubyte.gz", include_bytes!("train-labels-idx1-ubyte.gz")),
    ("t10k-images-idx3-ubyte.gz", include_bytes!("t10k-images-idx3-ubyte.gz")),
    ("t10k-labels-idx1-ubyte.gz", include_bytes!("t10k-labels-idx1-ubyte.gz")),
];
