//! Reading entries: nothing is handed out before its digest has matched.

use super::{
    Manifest, Outcome, Store, StoreError,
    disk::{metadata, read},
    manifest::{MANIFEST, MANIFEST_DIGEST, digest_line},
    relocate::is_removed,
    version,
};
use crate::key::Key;
use std::{
    io::{self},
    path::{Path, PathBuf},
};

/// How far an entry is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The manifest's digest, the key, and that every file is there with its length.
    Manifest,
    /// All that, and every file's digest.
    Content,
}

/// A whole entry.
#[derive(Clone, Debug)]
pub struct Entry {
    folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// What lies under a key.
#[derive(Debug)]
pub enum Lookup {
    /// Nothing.
    Missing,
    /// An entry that must not be used; why.
    Damaged(String),
    /// An entry of another version of takd, which this one cannot read and leaves alone; which one.
    OtherVersion(String),
    /// An entry that passed the checks.
    Whole(Box<Entry>),
}

impl Store {
    /// Looks `key` up and checks what is there.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system fails to read what is there (a disk's error, a missing
    /// permission, too few descriptors): that says nothing of the entry. Only what was read and is
    /// wrong, or is not there, is [`Lookup::Damaged`].
    pub fn find(&self, key: &Key, depth: Depth) -> Result<Lookup, StoreError> {
        let folder = self.entry_path(key);
        if metadata(&folder)?.is_none() || is_removed(&folder)? {
            return Ok(Lookup::Missing);
        }
        match check(folder.clone(), key, depth, Files::All)? {
            Ok(entry) => Ok(Lookup::Whole(Box::new(entry))),
            // Whoever replaces or removes it meanwhile has not damaged it.
            Err(_) if is_removed(&folder)? || metadata(&folder)?.is_none() => Ok(Lookup::Missing),
            Err(lookup) => Ok(lookup),
        }
    }

    /// What came out under `key`, if its entry's manifest is there and whole.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn outcome(&self, key: &Key) -> Result<Option<Outcome>, StoreError> {
        Ok(match self.find(key, Depth::Manifest)? {
            Lookup::Whole(entry) => Some(entry.manifest.outcome),
            Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => None,
        })
    }
}

/// Which of the files in its manifest a folder must have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// Each.
    All,
    /// Any; what is there must be right.
    Some,
}

/// The outer error is the system's, the inner one says why the entry is not whole.
pub(super) fn check(
    folder: PathBuf,
    key: &Key,
    depth: Depth,
    files: Files,
) -> Result<Result<Entry, Lookup>, StoreError> {
    let damaged = |problem: String| Ok(Err(Lookup::Damaged(problem)));
    if !metadata(&folder)?.is_some_and(|metadata| metadata.is_dir()) {
        return damaged("it is not a folder".to_owned());
    }
    let (Some(text), Some(digest)) =
        (read(&folder.join(MANIFEST))?, read(&folder.join(MANIFEST_DIGEST))?)
    else {
        return damaged(format!("{MANIFEST} or {MANIFEST_DIGEST} is missing"));
    };
    if digest != digest_line(&text) {
        return damaged(format!("{MANIFEST} does not match {MANIFEST_DIGEST}"));
    }
    let manifest = match version::read(&text) {
        Ok(manifest) => manifest,
        Err(version) => return Ok(Err(Lookup::OtherVersion(version))),
    };
    if manifest.key() != *key {
        return damaged(format!("it holds the entry {}", manifest.key()));
    }
    let entry = Entry { folder, manifest };
    for (name, want) in &entry.manifest.files {
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return damaged(format!("{name:?} is not a file name"));
        }
        let path = entry.folder.join(name);
        let length = match metadata(&path)? {
            Some(metadata) if metadata.is_dir() => {
                return damaged(format!("{name} is a folder"));
            }
            Some(metadata) => metadata.len(),
            None if files == Files::Some => continue,
            None => return damaged(format!("{name} is missing")),
        };
        if length != want.bytes {
            return damaged(format!("{name} has {length} bytes, not {}", want.bytes));
        }
        if depth == Depth::Content
            && let Err(problem) = entry.read_checked(name)?
        {
            return damaged(problem);
        }
    }
    Ok(Ok(entry))
}

impl Entry {
    /// The bytes of one of the entry's files, checked again as they are read.
    ///
    /// # Errors
    /// [`StoreError::Io`]; a digest that does not match any more is reported as invalid data.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.folder.join(name);
        self.read_checked(name)?.map_err(|problem| {
            StoreError::io("read", &path)(io::Error::new(io::ErrorKind::InvalidData, problem))
        })
    }

    fn read_checked(&self, name: &str) -> Result<Result<Vec<u8>, String>, StoreError> {
        let Some(want) = self.manifest.files.get(name) else {
            return Ok(Err(format!("{name} is not in the manifest")));
        };
        let Some(bytes) = read(&self.folder.join(name))? else {
            return Ok(Err(format!("{name} is missing")));
        };
        let matches = blake3::hash(&bytes).to_hex().as_str() == want.blake3;
        Ok(if matches { Ok(bytes) } else { Err(format!("{name} does not match its digest")) })
    }

    /// The text of its manifest, as it was written: fields that another version of takd has added are kept.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn text(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.folder.join(MANIFEST);
        let text = read(&path)?.filter(|text| version::read(text).as_ref() == Ok(&self.manifest));
        text.ok_or_else(|| {
            let problem = "it is not what it was a moment ago";
            StoreError::io("read", &path)(io::Error::new(io::ErrorKind::InvalidData, problem))
        })
    }

    /// Length of all files together, the manifest left out.
    pub fn bytes(&self) -> u64 {
        self.manifest.files.values().map(|file| file.bytes).sum()
    }

    /// The entry's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
