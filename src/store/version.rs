//! Telling what another version of takd wrote from damage: a manifest whose digest matches is whole,
//! whether this version can read it or not.

use super::{Depth, Lookup, Manifest, Store, StoreError, checkpoint, list};
use crate::key::{KEY_VERSION, Key};
use serde::Deserialize;
use std::io;

/// What is looked for in a manifest of any version.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    inputs: Version,
    provenance: Maker,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    version: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Maker {
    takd: Option<String>,
}

/// A manifest, or which other version it is of: `takd 0.1.0, key version 4`. Fields outside the key's
/// inputs that this version does not know do not keep it from being read.
pub(super) fn read(text: &[u8]) -> Result<Manifest, String> {
    let Header { inputs, provenance } = serde_json::from_slice(text).unwrap_or_default();
    let maker = provenance.takd.map_or("an unknown takd".to_owned(), |takd| format!("takd {takd}"));
    match inputs.version {
        Some(KEY_VERSION) => serde_json::from_slice(text).map_err(|error| {
            // The place in the file is of no use to who must not edit it.
            let error = error.to_string();
            let problem = error.split(" at line ").next().unwrap_or_default();
            format!("{maker}: {problem}")
        }),
        Some(version) => Err(format!("{maker}, key version {version}")),
        None => Err(maker),
    }
}

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
