//! Removing what no pipeline reaches.

use super::{Store, StoreError, list, staging::remove};
use crate::key::Key;
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// Something that gc removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Garbage {
    /// Folder.
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
        for folder in ["entries", "damaged", "staging"] {
            let folder = self.root.join(folder);
            for name in list(&folder)? {
                let kept = name.parse().is_ok_and(|key| keep.contains(&key));
                if !(kept && folder.ends_with("entries")) {
                    let path = folder.join(name);
                    garbage.push(Garbage { bytes: size(&path), path });
                }
            }
        }
        garbage.sort_by(|a, b| a.path.cmp(&b.path));
        if !dry_run {
            garbage.iter().try_for_each(|garbage| remove(&garbage.path))?;
        }
        Ok(garbage)
    }
}

/// Length of the files in a folder of files; what cannot be read counts nothing.
fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}
