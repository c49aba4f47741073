//! Entries by the start of their keys.

use super::exit::Problem;
use crate::{key::Key, store::Store};

/// The key of the one entry whose key starts with `prefix`.
pub(crate) fn entry_key(store: &Store, prefix: &str) -> Result<Key, Problem> {
    let fitting = store.keys()?.into_iter().filter(|key| key.to_string().starts_with(prefix));
    let fitting: Vec<Key> = fitting.collect();
    match fitting.as_slice() {
        [key] => Ok(*key),
        [] => Err(Problem::Entry(format!(
            "no entry's key starts with `{prefix}`; `takd cache list` shows them"
        ))),
        many => Err(Problem::Entry(format!(
            "{} entries' keys start with `{prefix}`: give more of it",
            many.len()
        ))),
    }
}
