//! Folders of images, a folder a class: `train/CLASS/….jpg` and `val/CLASS/….jpg`.
//!
//! Classes are numbered by their sorted names. A sample's id is its place among the sorted paths of
//! its split. The data's digest is blake3 over the sorted paths and the blake3 of each file.

use super::{
    DataError, Dataset,
    digests::{Kept, digests},
    files::{File, Files},
    loaded::{Images, Part},
    picture::shorter_side,
};
use crate::config::{DataInfo, ImageFolder, Shape};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Names of files that are images for takd; anything else that is an image is refused by name.
const READ: [&str; 3] = ["jpg", "jpeg", "png"];
const NOT_READ: [&str; 8] = ["bmp", "gif", "pgm", "ppm", "tif", "tiff", "webp", "avif"];
/// Labels are 16-bit integers.
const MOST_CLASSES: usize = 65_000;
/// Images that are looked at to tell a folder's usual size.
const LOOKED_AT: usize = 100;
/// Folders within folders of a class; more are taken for a circle of links.
const DEEPEST: usize = 8;

/// What a folder holds.
pub(super) struct Listing {
    classes: Vec<String>,
    train: Listed,
    test: Listed,
}

/// The images of one split in the order of their ids.
struct Listed {
    /// Its name in the folder: `train`.
    folder: String,
    /// Paths in the folder of the split, with `/`.
    names: Vec<String>,
    labels: Vec<u16>,
}

impl Listing {
    /// Finds the files; reads none.
    ///
    /// # Errors
    /// [`DataError`] names the folder or file that is not as it must be.
    pub fn new(folder: &ImageFolder) -> Result<Self, DataError> {
        let root = &folder.path;
        let wanted = format!(
            "the images must lie in {0}/{1}/CLASS/….jpg (or .png) and {0}/{2}/CLASS/….jpg: put them \
             there, or name another folder with `path`, or the folder that it lies in with --data \
             or TAKD_DATA. ImageNet cannot be fetched by takd: it takes an account at \
             https://image-net.org; its class folders are train/n01440764 and so on",
            root.display(),
            folder.train,
            folder.test.join(" or "),
        );
        let missing = |path: PathBuf| DataError::Missing {
            file: path.display().to_string(),
            error: io::Error::other("no such folder"),
            help: wanted.clone(),
        };
        let held_out = folder.test.iter().find(|name| root.join(name).is_dir());
        if !root.join(&folder.train).is_dir() {
            return Err(missing(root.join(&folder.train)));
        }
        let Some(held_out) = held_out else {
            return Err(missing(root.join(&folder.test[0])));
        };
        let (classes, train) = list(root, &folder.train)?;
        let (held_classes, test) = list(root, held_out)?;
        for (has, other, (class, lacking)) in [
            (&held_classes, &classes, (held_out, &folder.train)),
            (&classes, &held_classes, (&folder.train, held_out)),
        ] {
            if let Some(name) = has.iter().find(|name| other.binary_search(name).is_err()) {
                let problem = format!(
                    "{lacking} has no class folder of this name, and the two must agree: rename it, \
                     or remove it"
                );
                return Err(damaged(&root.join(class).join(name), problem));
            }
        }
        Ok(Self { classes, train, test })
    }

    /// Numbers of classes, training images and test images.
    pub fn counts(&self) -> [usize; 3] {
        [self.classes.len(), self.train.names.len(), self.test.names.len()]
    }

    /// Digests of the files of both splits.
    fn digests(
        &self,
        folder: &ImageFolder,
        kept: Kept,
    ) -> Result<(Vec<blake3::Hash>, Vec<blake3::Hash>), DataError> {
        let splits = [&self.train, &self.test].into_iter();
        let names = splits
            .flat_map(|split| split.names.iter().map(|name| format!("{}/{name}", split.folder)));
        let names: Vec<String> = names.collect();
        let mut train = digests(&folder.path, &names, &folder.digests, kept)?;
        let test = train.split_off(self.train.names.len());
        Ok((train, test))
    }
}

/// Finds out what keys and checks need to know.
pub(super) fn probe(folder: &ImageFolder) -> Result<DataInfo, DataError> {
    let listing = Listing::new(folder)?;
    let digests = listing.digests(folder, Kept::Use)?;
    Ok(info(folder, &listing, &digests))
}

/// Names, labels and digests; the images stay in their files.
pub(super) fn load(folder: &ImageFolder) -> Result<Dataset, DataError> {
    let listing = Listing::new(folder)?;
    let digests = listing.digests(folder, Kept::Use)?;
    Ok(dataset(folder, listing, digests))
}

/// Reads and decodes every file, whatever digests have been kept.
///
/// # Errors
/// [`DataError::Several`] if more than one image is damaged.
pub(super) fn verify(folder: &ImageFolder) -> Result<DataInfo, DataError> {
    let listing = Listing::new(folder)?;
    let digests = listing.digests(folder, Kept::Renew)?;
    let info = info(folder, &listing, &digests);
    let Dataset { train, test, .. } = dataset(folder, listing, digests);
    let mut found: Vec<DataError> = Vec::new();
    for part in [train, test] {
        if let Images::Files(files) = part.images {
            found.extend(files.verify());
        }
    }
    match found.len() {
        0 => Ok(info),
        1 => Err(found.swap_remove(0)),
        _ => Err(DataError::Several(found)),
    }
}

/// The shorter side, in pixels, that half of the training images reach: of some of them, evenly
/// spread, whose headers can be read; nothing if there is none.
///
/// # Errors
/// [`DataError`] names the folder or file that is not as it must be.
pub fn usual_side(folder: &ImageFolder) -> Result<Option<u32>, DataError> {
    let Listed { folder: split, names, .. } = Listing::new(folder)?.train;
    let every = names.len().div_ceil(LOOKED_AT).max(1);
    let looked_at = names.iter().step_by(every);
    let sides = looked_at.filter_map(|name| shorter_side(&folder.path.join(&split).join(name)));
    let mut sides: Vec<u32> = sides.collect();
    sides.sort_unstable();
    Ok(sides.get(sides.len() / 2).copied())
}

fn shape(folder: &ImageFolder) -> Shape {
    let side = folder.fit.size as usize;
    Shape { channels: 3, height: side, width: side }
}

fn info(
    folder: &ImageFolder,
    listing: &Listing,
    (train, test): &(Vec<blake3::Hash>, Vec<blake3::Hash>),
) -> DataInfo {
    let mut hasher = blake3::Hasher::new_derive_key("takd 2026-11 image folder");
    for (split, digests) in [(&listing.train, train), (&listing.test, test)] {
        hasher.update(&(digests.len() as u64).to_le_bytes());
        for (name, digest) in split.names.iter().zip(digests) {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(digest.as_bytes());
        }
    }
    let [classes, train, test] = listing.counts();
    let digest = hasher.finalize().to_hex().to_string();
    DataInfo { digest, shape: shape(folder), classes, train, test }
}

fn dataset(
    folder: &ImageFolder,
    listing: Listing,
    (train, test): (Vec<blake3::Hash>, Vec<blake3::Hash>),
) -> Dataset {
    let part = |split: Listed, digests: Vec<blake3::Hash>| {
        let files = split.names.into_iter().zip(digests);
        let files = files.map(|(name, digest)| File { name, digest }).collect();
        let files = Files::new(folder.path.join(split.folder), files, folder.fit);
        Part { images: Images::Files(Arc::new(files)), labels: split.labels }
    };
    let classes = listing.classes.len();
    let (train, test) = (part(listing.train, train), part(listing.test, test));
    Dataset { shape: shape(folder), classes, train, test }
}

fn damaged(path: &Path, problem: String) -> DataError {
    DataError::Damaged { file: path.display().to_string(), problem }
}

/// The class folders of a split, and its images.
fn list(root: &Path, split: &str) -> Result<(Vec<String>, Listed), DataError> {
    let folder = root.join(split);
    let (mut classes, mut loose) = (Vec::new(), false);
    for (name, path) in entries(&folder)? {
        match path.is_dir() {
            true => classes.push(name),
            false => loose |= has_extension(&name, &READ),
        }
    }
    if classes.is_empty() {
        let problem = if loose {
            "it holds images, but no class folder: sort them into a folder for each class (for \
             ImageNet's validation images, \
             https://github.com/soumith/imagenetloader.torch/blob/master/valprep.sh does)"
        } else {
            "it holds no class folder: its images must lie in a folder for each class"
        };
        return Err(damaged(&folder, problem.to_owned()));
    }
    if classes.len() > MOST_CLASSES {
        let problem = format!("{} class folders; takd takes {MOST_CLASSES} at most", classes.len());
        return Err(damaged(&folder, problem));
    }
    let (mut names, mut labels) = (Vec::new(), Vec::new());
    for (label, class) in (0..).zip(&classes) {
        let before = names.len();
        walk(&folder.join(class), class, 0, &mut names)?;
        if names.len() == before {
            let problem =
                "an empty class folder: put .jpg, .jpeg or .png files into it, or remove it";
            return Err(damaged(&folder.join(class), problem.to_owned()));
        }
        names[before..].sort_unstable();
        labels.resize(names.len(), label);
    }
    Ok((classes, Listed { folder: split.to_owned(), names, labels }))
}

/// Adds the images in `folder` and in the folders in it.
fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    names: &mut Vec<String>,
) -> Result<(), DataError> {
    if depth > DEEPEST {
        return Err(damaged(folder, "folders in folders without end: is it a link?".to_owned()));
    }
    for (name, path) in entries(folder)? {
        let inner = format!("{prefix}/{name}");
        if has_extension(&name, &NOT_READ) {
            let problem = "takd reads JPEG and PNG only: convert it, or take it out of the folder";
            return Err(damaged(&path, problem.to_owned()));
        }
        if has_extension(&name, &READ) {
            names.push(inner);
        } else if path.is_dir() {
            walk(&path, &inner, depth + 1, names)?;
        }
    }
    Ok(())
}

/// What is in a folder, sorted by name, hidden files left out.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let unreadable = |error| DataError::Missing {
        file: folder.display().to_string(),
        error,
        help: "mend its permissions, or take it away".to_owned(),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default();
        let Some(name) = name.to_str().map(str::to_owned) else {
            return Err(damaged(&path, "its name is not UTF-8: rename it".to_owned()));
        };
        if !name.starts_with('.') {
            found.push((name, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn has_extension(name: &str, known: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|given| known.iter().any(|known| given.eq_ignore_ascii_case(known)))
}
