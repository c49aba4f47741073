//! What other versions of takd have left.

use super::{Depth, Lookup, Store, StoreError, checkpoint, list};
use crate::key::Key;
use std::io;

impl Store {
    /// Keys under which another version of takd has left an entry or a checkpoint, sorted. Which
    /// pipelines reach them only that version knows.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system refuses to read what is there.
    pub fn other_versions(&self) -> Result<Vec<Key>, StoreError> {
        let mut found = Vec::new();
        for key in self.keys()? {
            if let Lookup::OtherVersion(_) = self.find(&key, Depth::Manifest)? {
                found.push(key);
            }
        }
        let folder = self.root.join("checkpoints");
        for name in list(&folder)? {
            let Ok(key) = name.parse() else { continue };
            let path = folder.join(name);
            match checkpoint::is_other_version(&path) {
                Ok(true) => found.push(key),
                // A run that ends meanwhile removes its own.
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io("read", &path)(error)),
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}
