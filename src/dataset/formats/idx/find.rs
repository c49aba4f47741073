//! Finding the four files, whatever those who distribute them call them.

use crate::dataset::DataError;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const HELP: &str = "the folder needs MNIST's four files, gzipped or not (Debian's package \
    dataset-fashion-mnist puts them in /usr/share/datasets/fashion-mnist or the like)";

/// What the four files are called by MNIST: training images and labels, test images and labels.
pub(super) const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The files of one data set, by their index in [`NAMES`]; the same file may be there in several
/// packings.
type Four = [Vec<PathBuf>; 4];

/// The four files of the data set that `path` names, and what their names begin with: in the folder
/// itself, in torchvision's `MNIST/raw`, or those in its parent that begin with its last part.
pub(super) fn find(path: &Path) -> Result<(String, [PathBuf; 4]), DataError> {
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
            let path = folder.join(prefix);
            format!("\n  path = \"{}\"", path.display())
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
        if let Some((prefix, index)) = named.filter(|_| !path.is_dir()) {
            sets.entry((folder.to_owned(), prefix)).or_default()[index].push(path);
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

/// What a name begins with, in lower case, and its index in [`NAMES`]: of
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

pub(super) fn missing(file: String, error: io::Error) -> DataError {
    DataError::Missing { file, error, help: HELP.to_owned() }
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
            let found = found.map(|(prefix, index): (&str, usize)| (prefix.to_owned(), index));
            assert_eq!(named(name), found, "{name}");
        }
    }
}
