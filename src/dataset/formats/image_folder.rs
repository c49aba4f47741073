//! Folders of images, one folder per class.

use super::interface::{DataFormat, Format, Location, Place, Storage};
use crate::{
    dataset::{DataError, DataInfo, Dataset, Fit, ImageFolder, folder, held_out, known::Known},
    kind::{Conflict, Field, Kind, Scalar},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

/// What a pipeline says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fields {
    train: String,
    test: Option<String>,
    test_percent: Option<u8>,
    list: Option<String>,
    size: u32,
    resize: Option<u32>,
    exif: bool,
}

/// What its images are, and where in its folder they lie.
#[derive(Clone, Debug)]
struct Layout {
    train: String,
    test: Vec<String>,
    held_out: Option<u8>,
    list: Option<String>,
    fit: Fit,
}

/// Images with a side above this, in pixels, ask for more memory than any network could use.
const LARGEST: u64 = 4096;

pub(super) const KIND: Kind<dyn DataFormat> = Kind {
    name: "image-folder",
    doc: "JPEG and PNG files in `train/CLASS/` and `val/CLASS/`, decoded when they are needed",
    source: "torchvision's `ImageFolder`",
    fields: &[
        Field::text("train", "the folder of training images").or(Scalar::Word("train")),
        Field::text("test", "the folder of test images")
            .or(Scalar::Derived("val, test or validation")),
        Field::whole(
            "test_percent",
            1,
            90,
            "where class folders lie in the folder itself, how many of their images are for \
             testing: by a hash of their files' names, the same ones for ever",
        )
        .or(Scalar::Derived("none: the folder is split; 20 with list")),
        Field::text(
            "list",
            "a CSV file in the folder that lists the images, path,label a line, in place of class \
             folders; a column split, train or test, says where each belongs",
        )
        .or(Scalar::Derived("none")),
        Field::whole(
            "size",
            1,
            LARGEST,
            "height and width of the images, in pixels, after the \
             shorter side was resized and the centre taken; smaller ones train faster",
        )
        .or(Scalar::Whole(224)),
        Field::whole(
            "resize",
            1,
            2 * LARGEST,
            "what the shorter side is resized to, in pixels, \
             before the centre is taken",
        )
        .or(Scalar::Derived("8/7 of size")),
        Field::flag(
            "exif",
            "whether images are turned as their Exif orientation says; torchvision \
             does not turn them",
        )
        .or(Scalar::Flag(true)),
    ],
    make: |fields| {
        let Fields { train, test, test_percent, list, size, resize, exif } =
            Kind::<dyn DataFormat>::read(fields);
        let resize = resize.unwrap_or(Fit::around(size).resize);
        if resize < size {
            let message =
                format!("images resized to {resize} pixels cannot be cropped to {size}×{size}");
            return Err(Conflict::of("resize", message, "`resize` must not be below `size`"));
        }
        let usual = || ["val", "test", "validation"].map(str::to_owned).to_vec();
        let test = test.map_or_else(usual, |test| vec![test]);
        let fit = Fit { size, resize, exif };
        Ok(Arc::new(Layout { train, test, held_out: test_percent, list, fit }))
    },
};

impl DataFormat for Layout {
    fn location(&self) -> Location {
        Location::Named
    }

    fn at(&self, place: &Place<'_>) -> Format {
        let usual = ImageFolder::new(place.path.to_owned(), place.data);
        let Self { train, test, held_out, list, fit } = self.clone();
        ImageFolder { train, test, held_out, list, fit, ..usual }.into()
    }

    /// Little larger than they are: what is enlarged costs time and shows nothing more.
    fn suited(&self, path: &Path) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        let mut folder = ImageFolder::new(path.to_owned(), Path::new(""));
        if let (true, Some(above), Some(name)) = (path.is_file(), path.parent(), path.file_name()) {
            folder.path = above.to_owned();
            folder.list = name.to_str().map(str::to_owned);
            fields.extend(folder.list.as_ref().map(|list| ("list".to_owned(), json!(list))));
        } else if !path.join(&folder.train).is_dir() && holds_folders(path) {
            folder.held_out = Some(held_out::USUAL);
            fields.push(("test_percent".to_owned(), json!(held_out::USUAL)));
        }
        // What is wrong with the folder is told by the probe.
        let (size, resize) = match folder::usual_side(&folder).ok().flatten() {
            Some(..48) => (32, 32),
            Some(48..128) => (64, 64),
            Some(_) | None => (Fit::default().size, Fit::default().resize),
        };
        fields.extend([("size".to_owned(), json!(size)), ("resize".to_owned(), json!(resize))]);
        fields
    }
}

fn holds_folders(path: &Path) -> bool {
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten();
    inside.map(|entry| entry.path()).any(|path| path.is_dir())
}

/// Russakovsky et al. 2015 (arXiv 1409.0575), the 1,000 classes of ILSVRC 2012: training and
/// validation images; those of its test set have no labels.
const IMAGENET: [usize; 3] = [1_000, 1_281_167, 50_000];

impl Storage for ImageFolder {
    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn load(&self) -> Result<Dataset, DataError> {
        folder::load(self)
    }

    fn probe(&self) -> Result<DataInfo, DataError> {
        folder::probe(self)
    }

    fn class_names(&self) -> Option<Vec<String>> {
        folder::class_names(self).ok()
    }

    fn renew(&self) -> Result<(DataInfo, Dataset), DataError> {
        folder::renew(self)
    }

    fn is_there(&self) -> bool {
        match (&self.list, self.held_out) {
            (Some(list), _) => self.path.join(list).is_file(),
            (None, Some(_)) => self.path.is_dir(),
            (None, None) => self.path.join(&self.train).is_dir(),
        }
    }

    fn summary(&self) -> Result<String, DataError> {
        let [classes, train, test] = folder::counts(self)?;
        Ok(format!("{train} training and {test} test files in {classes} class folders"))
    }

    fn known(&self) -> Option<DataInfo> {
        let name = self.path.file_name()?.to_string_lossy().to_lowercase();
        let side = self.fit.size as usize;
        let ([classes, train, test], shape) = (IMAGENET, [3, side, side]);
        let known = Known { shape, classes, train, test, digests: None };
        ["imagenet", "ilsvrc2012"].contains(&&*name).then(|| known.info("imagenet"))
    }

    fn how_to_get(&self) -> String {
        format!("put train/CLASS/… and val/CLASS/… into {}", self.path.display())
    }

    fn fit(&self) -> Option<Fit> {
        Some(self.fit)
    }

    fn in_files(&self) -> bool {
        true
    }
}
