//! What tells entries of one node apart: `--set`, a preset, an edit.

use crate::key::Key;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Hashed fields by their paths.
type Fields = BTreeMap<String, Value>;

/// Of each entry whose node has others too, the values of the hashed fields in which they differ:
/// `lambda=0.7, epochs=5`; of one that differs in what it was made from alone, `another parent`.
pub(super) fn variants(entries: &[(Key, String, Value)]) -> HashMap<Key, String> {
    // A teacher's logits bear the name of the student that asked for them first.
    let kind = |config: &'_ Value| config["kind"].to_string();
    let mut nodes = BTreeMap::<(String, &str), Vec<(Key, Fields)>>::new();
    for (key, node, config) in entries {
        let mut fields = Fields::new();
        flatten(config, "", &mut fields);
        // Seeds stand in the name, and keys of parents say nothing to people.
        fields.retain(|path, _| path != "seed" && path != "parents");
        nodes.entry((kind(config), node)).or_default().push((*key, fields));
    }
    let mut told = HashMap::new();
    for entries in nodes.values().filter(|entries| entries.len() > 1) {
        let paths: BTreeSet<&String> =
            entries.iter().flat_map(|(_, fields)| fields.keys()).collect();
        let first = &entries[0].1;
        let differs = |path: &&&String| {
            entries.iter().any(|(_, fields)| fields.get(**path) != first.get(**path))
        };
        let paths: Vec<&&String> = paths.iter().filter(differs).collect();
        for (key, fields) in entries {
            let short = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
            let values = paths.iter().filter_map(|path| Some((short(path), fields.get(**path)?)));
            let values: Vec<String> =
                values.map(|(name, value)| format!("{name}={}", plain(value))).collect();
            let words = match (paths.is_empty(), values.is_empty()) {
                (true, _) => "another parent".to_owned(),
                (false, true) => "defaults".to_owned(),
                (false, false) => values.join(", "),
            };
            told.insert(*key, words);
        }
    }
    told
}

fn flatten(value: &Value, path: &str, fields: &mut Fields) {
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            for (name, value) in inner {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(value, &format!("{path}{dot}{name}"), fields);
            }
        }
        value => drop(fields.insert(path.to_owned(), value.clone())),
    }
}

/// A value in few characters: digests and lists of layers are long.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() > 24 { text.chars().take(12).chain(['…']).collect() } else { text }
}
