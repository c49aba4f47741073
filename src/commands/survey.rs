//! What the cache holds for a pipeline.

use crate::{
    graph::Graph,
    key::{Key, KeyInputs, keys},
    plan::{Known, Past},
    store::{Depth, Lookup, Manifest, Store, StoreError},
};
use std::collections::BTreeMap;

/// A pipeline's keys, and which of them the cache holds.
pub(super) struct Survey {
    /// Of each task, in the graph's order.
    pub keys: Vec<(KeyInputs, Key)>,
    /// For the plan.
    pub known: Known,
    /// Entries that must not be used, and why.
    pub damaged: BTreeMap<Key, String>,
}

impl Survey {
    /// Looks every key of `graph` up in `store`.
    pub fn new(graph: &Graph<'_>, store: &Store, depth: Depth) -> Result<Self, StoreError> {
        let keys = keys(graph);
        let mut known = Known::default();
        let mut damaged = BTreeMap::new();
        for (_, key) in &keys {
            if known.present.contains(key) || damaged.contains_key(key) {
                continue;
            }
            match store.find(key, depth)? {
                Lookup::Missing => {}
                Lookup::Whole(_) => {
                    known.present.insert(*key);
                }
                Lookup::Damaged(problem) => {
                    damaged.insert(*key, problem);
                }
            }
        }
        // Reasons compare with other entries; where everything is present nobody asks for one.
        if keys.iter().any(|(_, key)| !known.present.contains(key)) {
            known.entries = entries(store)?;
        }
        Ok(Self { keys, known, damaged })
    }
}

/// Every entry in the cache, the newest last.
fn entries(store: &Store) -> Result<Vec<Past>, StoreError> {
    let mut found = Vec::new();
    for key in store.keys()? {
        if let Lookup::Whole(entry) = store.find(&key, Depth::Manifest)? {
            let Manifest { inputs, provenance, .. } = entry.manifest;
            found.push((provenance.finished, Past { inputs, task: provenance.node }));
        }
    }
    found.sort_by_key(|(finished, _)| *finished);
    Ok(found.into_iter().map(|(_, past)| past).collect())
}
