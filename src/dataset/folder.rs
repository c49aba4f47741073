//! Folders of images, a folder a class: `train/CLASS/….jpg` and `val/CLASS/….jpg`.
//!
//! Files are told by their content, not by their names. Classes are numbered by the sorted names of
//! the training folders. A sample's id is its index in the sorted paths of its split. A part's
//! digest is over the class names, the sorted paths and the blake3 of each file.

use super::{
    DataError, Dataset,
    digests::{Seen, Stored, look},
    files::{File, Files},
    images::{Images, Part},
    listed::{Listed, Listing, damaged},
    part::{TEST, TRAIN, part_digest},
    picture::shorter_side,
    skipped::{Reason, Skipped},
};
use crate::{
    dataset::{DataInfo, Digests, ImageFolder, Presence},
    shape::Shape,
};
use std::sync::Arc;

/// Images that are looked at to tell a folder's usual size.
const LOOKED_AT: usize = 100;
/// Classes without test images that are named.
const NAMED: usize = 5;

/// The images of a folder, and what else is in it.
struct Found {
    classes: Vec<String>,
    train: Split,
    test: Split,
    skipped: Skipped,
    /// Why nothing of this can be kept, if so.
    refusal: Option<String>,
}

/// The images of one split in the order of their ids.
struct Split {
    /// Its name in the folder: `train`.
    folder: String,
    files: Vec<File>,
    labels: Vec<u16>,
}

impl Found {
    /// Lists the files and looks into those that have changed.
    fn new(folder: &ImageFolder, kept: Stored) -> Result<Self, DataError> {
        let Listing { classes, train, test, mut skipped } = Listing::new(folder)?;
        let names: Vec<String> =
            [&train, &test].into_iter().flat_map(|listed| listed.paths()).collect();
        let (seen, refusal) = look(&folder.path, &names, &folder.digests, kept)?;
        let mut seen = seen.into_iter();
        let mut split = |listed| Split::new(listed, &mut seen, &mut skipped);
        let (train, test) = (split(train), split(test));
        let found = Self { classes, train, test, skipped, refusal };
        found.check(folder)?;
        Ok(found)
    }

    /// A class without training images, or no test image at all, is an error.
    fn check(&self, folder: &ImageFolder) -> Result<(), DataError> {
        let counts = self.train.counts(self.classes.len());
        let empty = counts.iter().position(|&count| count == 0);
        let (path, what) = match empty {
            Some(class) => {
                let name = &self.classes[class];
                (folder.path.join(&self.train.folder).join(name), "an empty class folder")
            }
            None if self.test.files.is_empty() => {
                (folder.path.join(&self.test.folder), "its class folders are empty")
            }
            None => return Ok(()),
        };
        let skipped = self.skipped.lines();
        let skipped = if skipped.is_empty() {
            String::new()
        } else {
            format!(" (of the whole data set: {})", skipped.join("; "))
        };
        let problem = format!("{what}: put JPEG or PNG files into it, or remove it{skipped}");
        Err(damaged(&path, problem))
    }

    /// What should be known of it, a line each.
    fn notes(&self) -> Vec<String> {
        let mut notes = self.skipped.lines();
        let counts = self.test.counts(self.classes.len());
        let lacking: Vec<&str> = self
            .classes
            .iter()
            .zip(counts)
            .filter_map(|(class, count)| (count == 0).then_some(class.as_str()))
            .collect();
        if !lacking.is_empty() {
            let more = if lacking.len() > NAMED { ", …" } else { "" };
            let named = lacking[..lacking.len().min(NAMED)].join(", ");
            notes.push(format!(
                "no test images for {} of {} classes ({named}{more}): test results do not cover {}",
                lacking.len(),
                self.classes.len(),
                if lacking.len() == 1 { "it" } else { "them" },
            ));
        }
        notes.extend(self.refusal.clone());
        notes
    }

    fn info(&self, folder: &ImageFolder) -> DataInfo {
        let part = |part, split: &Split| {
            // A path in a class folder tells the class; one in a list does not.
            let name = |file: &File, label: u16| match &folder.list {
                Some(_) => format!("{}/{}", self.classes[usize::from(label)], file.name),
                None => file.name.clone(),
            };
            let names: Vec<String> = split
                .files
                .iter()
                .zip(&split.labels)
                .map(|(file, &label)| name(file, label))
                .collect();
            let digests = split.files.iter().map(|file| file.digest);
            let files = names.iter().map(String::as_str).zip(digests);
            part_digest("image-folder", part, &self.classes, files)
        };
        DataInfo {
            digests: Digests { train: part(TRAIN, &self.train), test: part(TEST, &self.test) },
            shape: shape(folder),
            classes: self.classes.len(),
            train: self.train.files.len(),
            test: self.test.files.len(),
            notes: self.notes(),
            presence: Presence::Here,
        }
    }

    fn dataset(self, folder: &ImageFolder) -> Dataset {
        let part = |Split { folder: split, files, labels }| Part {
            images: Images::Files(Arc::new(Files::new(folder, &split, files))),
            labels,
        };
        let DataInfo { digests, shape, classes, notes, .. } = self.info(folder);
        let (train, test) = (part(self.train), part(self.test));
        Dataset { shape, classes, train, test, digests, notes }
    }
}

impl Split {
    /// The files of a list that are images, by what has been `seen` of each.
    fn new(listed: Listed, seen: &mut impl Iterator<Item = Seen>, skipped: &mut Skipped) -> Self {
        let Listed { folder, names, labels } = listed;
        let mut split = Self { folder, files: Vec::with_capacity(names.len()), labels: vec![] };
        for ((name, label), Seen { content, digest, decoded }) in
            names.into_iter().zip(labels).zip(seen)
        {
            if content.is_image() {
                split.files.push(File { name, content, digest, decoded });
                split.labels.push(label);
            } else {
                skipped.add(Reason::Content(content), || format!("{}/{name}", split.folder));
            }
        }
        split
    }

    /// Images of each class.
    fn counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        self.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    }
}

/// Finds out what keys and checks need to know.
pub(super) fn probe(folder: &ImageFolder) -> Result<DataInfo, DataError> {
    Ok(Found::new(folder, Stored::Reuse)?.info(folder))
}

/// Names, labels and digests; the images stay in their files.
pub(super) fn load(folder: &ImageFolder) -> Result<Dataset, DataError> {
    Ok(Found::new(folder, Stored::Reuse)?.dataset(folder))
}

/// Reads every file, whatever has been kept, and decodes none.
pub(super) fn renew(folder: &ImageFolder) -> Result<(DataInfo, Dataset), DataError> {
    let found = Found::new(folder, Stored::Renew)?;
    Ok((found.info(folder), found.dataset(folder)))
}

/// The shorter side, in pixels, that half of the training images reach: of some of them, evenly
/// spread, whose headers can be read; nothing if there is none.
///
/// # Errors
/// [`DataError`] names the folder or file that is not as it must be.
pub(super) fn usual_side(folder: &ImageFolder) -> Result<Option<u32>, DataError> {
    let train = Listing::new(folder)?.train;
    let every = train.names.len().div_ceil(LOOKED_AT).max(1);
    let paths = train.paths().step_by(every).map(|path| folder.path.join(path));
    let mut sides: Vec<u32> = paths.filter_map(|path| shorter_side(&path)).collect();
    sides.sort_unstable();
    Ok(sides.get(sides.len() / 2).copied())
}

/// Numbers of classes, training files and test files, without a look into the files.
///
/// # Errors
/// [`DataError`] if it is not there or its folders are not as they must be.
pub(super) fn counts(images: &ImageFolder) -> Result<[usize; 3], DataError> {
    let Listing { classes, train, test, .. } = Listing::new(images)?;
    Ok([classes.len(), train.names.len(), test.names.len()])
}

/// Names of the classes in the order of their numbers.
///
/// # Errors
/// As [`counts`].
pub(super) fn class_names(images: &ImageFolder) -> Result<Vec<String>, DataError> {
    Ok(Listing::new(images)?.classes)
}

fn shape(folder: &ImageFolder) -> Shape {
    let side = folder.fit.size as usize;
    Shape { channels: 3, height: side, width: side }
}
