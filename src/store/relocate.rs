//! Taking an entry from its name, whole, also where the system does not rename folders.
//!
//! An overlay file system (every container image) refuses with EXDEV to rename a folder that comes
//! from a lower layer, and so does any system where `entries/` and `staging/` are two mounts. There a
//! folder is copied beside its new name, synced, and renamed; then the old one is removed where it
//! is. While that takes, a mark beside it, `NAME.removed`, says that it is gone: readers see no half
//! of it, and whoever locks the key next, or gc, ends what a killed process had begun.

use super::{
    Store, StoreError,
    disk::{create_one, for_group, remove, writer},
    list,
};
use crate::key::Key;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind::CrossesDevices},
    path::{Path, PathBuf},
};

/// End of the name of a mark.
pub(super) const REMOVED: &str = ".removed";

/// A path with more at the end of its name.
fn longer(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

/// Whether something has this name; unlike `Path::exists`, no disk's error counts as "no".
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(StoreError::io("read", path))
}

/// Whether what has this name counts as removed.
pub(super) fn is_removed(path: &Path) -> Result<bool, StoreError> {
    is_there(&longer(path, REMOVED))
}

/// Moves a folder or file to a name on which nothing is, or nothing but an empty folder. At any
/// moment it is whole under one of the two names at least.
///
/// # Errors
/// The system's; what was to be moved then keeps its name, or is under both and marked as removed.
pub(super) fn relocate(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == CrossesDevices => {}
        renamed => return renamed,
    }
    let beside = longer(to, &format!(".{}", writer()));
    let copied = copy(from, &beside).and_then(|()| fs::rename(&beside, to));
    if let Err(error) = copied {
        // The first error counts; what stays of the copy is left to the next lock or to gc.
        let _ = remove(&beside);
        return Err(error);
    }
    to.parent().map_or(Ok(()), sync)?;
    remove_in_place(from)
}

/// Removes what cannot be renamed, so that nobody takes what is left meanwhile for the whole.
pub(super) fn remove_in_place(path: &Path) -> io::Result<()> {
    let mark = longer(path, REMOVED);
    File::create(&mark)?.sync_all()?;
    for_group(&mark)?;
    path.parent().map_or(Ok(()), sync)?;
    clear(path, &mark)
}

/// Ends a removal: the mark goes last.
fn clear(path: &Path, mark: &Path) -> io::Result<()> {
    let source = |error| match error {
        StoreError::Io { source, .. } => source,
        other => io::Error::other(other),
    };
    remove(path).map_err(source)?;
    path.parent().map_or(Ok(()), sync)?;
    remove(mark).map_err(source)
}

/// Copies files and folders, synced. What is neither has no place in a cache and is left out.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    if metadata.is_file() {
        fs::copy(from, to)?;
        for_group(to)?;
        return File::open(to)?.sync_all();
    }
    if metadata.is_dir() {
        create_one(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        sync(to)?;
    }
    Ok(())
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Store {
    /// Ends the removals that killed processes had begun, of one key or of all.
    pub(super) fn end_removals(&self, only: Option<&Key>) -> Result<(), StoreError> {
        let of = only.map(|key| format!("{key}.")).unwrap_or_default();
        for folder in ["entries", "staging"] {
            let names = match only {
                // Every step locks its key, and there may be very many entries to list.
                Some(key) if folder == "entries" => vec![format!("{key}{REMOVED}")],
                _ => list(&self.root().join(folder))?,
            };
            for name in names.iter().filter(|name| name.starts_with(&of)) {
                let Some(removed) = name.strip_suffix(REMOVED) else { continue };
                let path = self.root().join(folder).join(removed);
                if is_removed(&path)? {
                    clear(&path, &longer(&path, REMOVED))
                        .map_err(StoreError::io("remove", &path))?;
                }
            }
        }
        Ok(())
    }
}
