//! Telling what another version of takd wrote from damage: a manifest whose digest matches is whole,
//! whether this version can read it or not.

use super::Manifest;
use crate::key::KEY_VERSION;
use serde::Deserialize;

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

impl Manifest {
    /// The manifest that a text from anywhere holds. Whose it is, is not looked at.
    ///
    /// # Errors
    /// Which other version of takd it is of, and why this one cannot read it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        read(text)
    }
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
