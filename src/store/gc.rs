//! Removing what no pipeline reaches.

use super::{Store, StoreError, checkpoint::remove_file, list, staging::remove};
use crate::key::Key;
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// Something that gc removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Garbage {
    /// Folder or file.
    pub path: PathBuf,
    /// Length of the files in it.
    pub bytes: u64,
}

impl Store {
    /// Every entry whose key is not in `keep`, everything set aside as damaged, and whatever dead
    /// processes left in staging; removed unless `dry_run`.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a run uses the cache; [`StoreError::Io`].
    pub fn gc(&self, keep: &HashSet<Key>, dry_run: bool) -> Result<Vec<Garbage>, StoreError> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let _alone = self.enter_alone()?;
        let mut garbage = Vec::new();
        for folder in ["entries", "checkpoints", "progress", "damaged", "staging"] {
            let folder = self.root.join(folder);
            for name in list(&folder)? {
                let kept = name.parse().is_ok_and(|key| keep.contains(&key));
                let lasts =
                    ["entries", "checkpoints", "progress"].iter().any(|f| folder.ends_with(f));
                if !(kept && lasts) {
                    let path = folder.join(name);
                    garbage.push(Garbage { bytes: size(&path), path });
                }
            }
        }
        garbage.sort_by(|a, b| a.path.cmp(&b.path));
        if !dry_run {
            garbage.iter().try_for_each(|garbage| {
                if garbage.path.is_dir() {
                    remove(&garbage.path)
                } else {
                    remove_file(&garbage.path)
                }
            })?;
        }
        Ok(garbage)
    }
}

/// Length of a file, or of the files in a folder of files; what cannot be read counts nothing.
fn size(path: &Path) -> u64 {
    let files = fs::read_dir(path).into_iter().flatten().flatten();
    let inside = files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len());
    if path.is_dir() {
        inside.sum()
    } else {
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }
}
