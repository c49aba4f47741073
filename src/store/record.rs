//! Records: what tables need of entries, a line each, in a file that outlives the cache that they were in.

use super::{Lock, Lookup, Manifest, Store, StoreError};
use crate::key::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    manifest: Manifest,
    /// Text of the entry's small files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, String>,
}

/// Why a line is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no record, or not one of a whole entry.
    #[error("{0}")]
    Wrong(String),
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The line of what is known of `key`, if it is known.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn record(&self, key: &Key) -> Result<Option<String>, StoreError> {
        let Lookup::Whole(entry) = self.known(key)? else { return Ok(None) };
        // An outline may lack some, which then are lacking in the record as well.
        let texts = entry.manifest.for_tables().filter_map(|(name, _)| {
            let text = String::from_utf8(entry.read(name).ok()?).ok()?;
            Some((name.clone(), text))
        });
        let line = Line { files: texts.collect(), manifest: entry.manifest.clone() };
        Ok(Some(serde_json::to_string(&line).expect("plain data is always JSON")))
    }

    /// Keeps what a line says of an entry, for tables; nothing is made from it. Whether it was unknown.
    ///
    /// # Errors
    /// [`RecordError::Wrong`] says what is not as its manifest has it.
    pub fn recall(&self, line: &str) -> Result<bool, RecordError> {
        let wrong = |problem: String| RecordError::Wrong(problem);
        let line: Line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let key = line.manifest.key();
        for (name, text) in &line.files {
            let promised = line.manifest.files.get(name);
            let promised = promised.ok_or_else(|| wrong(format!("its manifest has no {name}")))?;
            if promised.blake3 != blake3::hash(text.as_bytes()).to_hex().as_str() {
                return Err(wrong(format!("its {name} is not what its manifest has")));
            }
        }
        // Whoever holds the key makes it at this moment.
        let Lock::Taken(lock) = self.try_lock(&key)? else { return Ok(false) };
        if let Lookup::Whole(_) | Lookup::OtherVersion(_) = self.known(&key)? {
            return Ok(false);
        }
        let text = serde_json::to_vec_pretty(&line.manifest).expect("plain data is always JSON");
        let files: Vec<(String, Vec<u8>)> =
            line.files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        self.keep_outline(&lock, &text, &files)?;
        Ok(true)
    }
}
