//! What lies in a folder of images: class folders and the files in them, by their names alone.

use super::{
    DataError, held_out, list_file,
    listed::{Listed, Listing, MOST_CLASSES, damaged},
    skipped::{Reason, Skipped, by_name, is_like_image},
};
use crate::{dataset::ImageFolder, input::kind_of};
use std::{
    fs::{self, FileType},
    io,
    path::{Path, PathBuf},
};

impl Listing {
    /// Finds the files; opens none.
    ///
    /// # Errors
    /// [`DataError`] names the folder or file that is not as it must be.
    pub fn new(folder: &ImageFolder) -> Result<Self, DataError> {
        match (&folder.list, folder.held_out) {
            (Some(file), _) => list_file::listing(folder, file),
            (None, Some(percent)) => Self::unsplit(folder, percent),
            (None, None) => Self::split(folder),
        }
    }

    /// Of class folders that lie in the folder itself.
    fn unsplit(folder: &ImageFolder, percent: u8) -> Result<Self, DataError> {
        let (root, skipped) = (&folder.path, Skipped::default());
        let mut walk = Walk { root, skipped, above: Vec::new() };
        let classes = walk.classes(".")?;
        let all = walk.split(".", classes.iter().zip(0..))?;
        let (train, test) = held_out::split(all, percent);
        Ok(Self { classes, train, test, skipped: walk.skipped })
    }

    fn split(folder: &ImageFolder) -> Result<Self, DataError> {
        let root = &folder.path;
        let wanted = format!(
            "the images must lie in {0}/{1}/CLASS/….jpg (or .png) and {0}/{2}/CLASS/….jpg: put them \
             there (class folders that are not split take `test_percent`), or name another folder with `path`, or the folder that it lies in with --data \
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
        let mut walk = Walk { root, skipped: Skipped::default(), above: Vec::new() };
        let classes = walk.classes(&folder.train)?;
        let train = walk.split(&folder.train, classes.iter().zip(0..))?;
        let held = walk.classes(held_out)?;
        let number = |name: &String| match classes.binary_search(name) {
            Ok(index) => Ok(index as u16),
            Err(_) => {
                let problem = format!(
                    "{} has no class folder of this name, and no network can tell a class that it \
                     was not trained on: rename it, or remove it",
                    folder.train
                );
                Err(damaged(&root.join(held_out).join(name), problem))
            }
        };
        let numbers = held.iter().map(number).collect::<Result<Vec<u16>, _>>()?;
        let test = walk.split(held_out, held.iter().zip(numbers))?;
        Ok(Self { classes, train, test, skipped: walk.skipped })
    }
}

/// A walk through a data set's folders.
struct Walk<'a> {
    root: &'a Path,
    skipped: Skipped,
    /// The folders that the one at hand lies in, links resolved.
    above: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Names of the class folders of a split, sorted.
    fn classes(&mut self, split: &str) -> Result<Vec<String>, DataError> {
        let folder = self.root.join(split);
        let (mut classes, mut loose) = (Vec::new(), false);
        for (name, path, kind) in entries(&folder)? {
            if let Some(reason) = by_name(&name) {
                self.skipped.add(reason, || format!("{split}/{name}"));
                continue;
            }
            match followed(&path, kind)? {
                Some(kind) if kind.is_dir() => classes.push(name),
                Some(kind) => {
                    loose |= is_like_image(&name);
                    let reason = match kind.is_file() {
                        true => Reason::Loose,
                        false => Reason::Special(kind_of(kind)),
                    };
                    self.skipped.add(reason, || format!("{split}/{name}"));
                }
                None => self.skipped.add(Reason::BrokenLink, || format!("{split}/{name}")),
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
            let count = classes.len();
            let problem = format!("{count} class folders; takd takes {MOST_CLASSES} at most");
            return Err(damaged(&folder, problem));
        }
        Ok(classes)
    }

    /// The files in the class folders of a split.
    fn split<'c>(
        &mut self,
        split: &str,
        classes: impl Iterator<Item = (&'c String, u16)>,
    ) -> Result<Listed, DataError> {
        let (mut names, mut labels) = (Vec::new(), Vec::new());
        let folder = self.root.join(split);
        self.above = vec![resolved(&folder)?];
        for (class, label) in classes {
            let before = names.len();
            self.folder(&folder.join(class), split, class, &mut names)?;
            names[before..].sort_unstable();
            labels.resize(names.len(), label);
        }
        Ok(Listed { folder: split.to_owned(), names, labels })
    }

    /// Adds the files in `folder` and in the folders in it; `inner` is its path in the split.
    fn folder(
        &mut self,
        folder: &Path,
        split: &str,
        inner: &str,
        names: &mut Vec<String>,
    ) -> Result<(), DataError> {
        let resolved = resolved(folder)?;
        if self.above.iter().any(|inner| inner.starts_with(&resolved)) {
            self.skipped.add(Reason::Circle, || format!("{split}/{inner}"));
            return Ok(());
        }
        self.above.push(resolved);
        for (name, path, kind) in entries(folder)? {
            let inner = format!("{inner}/{name}");
            let reason = match by_name(&name) {
                Some(reason) => reason,
                None => match followed(&path, kind)? {
                    None => Reason::BrokenLink,
                    Some(kind) if kind.is_dir() => {
                        if !is_like_image(&name) {
                            self.folder(&path, split, &inner, names)?;
                            continue;
                        }
                        Reason::FolderLikeImage
                    }
                    Some(kind) if !kind.is_file() => Reason::Special(kind_of(kind)),
                    Some(_) => {
                        names.push(inner);
                        continue;
                    }
                },
            };
            self.skipped.add(reason, || format!("{split}/{inner}"));
        }
        self.above.pop();
        Ok(())
    }
}

/// What is in a folder, sorted by name: its name, its path, and its type, links not followed.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, FileType)>, DataError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unusable(folder, error))? {
        let entry = entry.map_err(|error| unusable(folder, error))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(damaged(&path, "its name is not UTF-8: rename it".to_owned()));
        };
        let kind = entry.file_type().map_err(|error| unusable(&path, error))?;
        found.push((name, path, kind));
    }
    found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

/// The type of what a link leads to, or nothing where that is nothing.
fn followed(path: &Path, kind: FileType) -> Result<Option<FileType>, DataError> {
    if !kind.is_symlink() {
        return Ok(Some(kind));
    }
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // It leads to itself.
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => Ok(None),
        Err(error) => Err(unusable(path, error)),
    }
}

fn resolved(folder: &Path) -> Result<PathBuf, DataError> {
    folder.canonicalize().map_err(|error| unusable(folder, error))
}

fn unusable(path: &Path, error: io::Error) -> DataError {
    let help = "mend its permissions, or take it away".to_owned();
    DataError::Missing { file: path.display().to_string(), error, help }
}
