//! `takd cache rm`.

use crate::{
    console::{
        exit::{self, Problem},
        long, print,
    },
    key::Key,
    store::{Depth, Lookup, Store},
};
use std::collections::HashSet;

#[derive(clap::Args)]
pub(in crate::commands) struct Args {
    /// Starts of keys, or globs of nodes (student, 'ta/*@20')
    #[arg(required = true)]
    entries: Vec<String>,
    /// Remove them
    #[arg(long)]
    yes: bool,
}

/// An entry in a line, and the seconds that it took to make; nothing of one that cannot be read.
pub(super) fn entry_line(store: &Store, key: &Key) -> Option<(String, f64)> {
    let Ok(Lookup::Whole(entry)) = store.find(key, Depth::Manifest) else { return None };
    let (kind, task) = (entry.manifest.inputs.kind, entry.manifest.provenance.node);
    let took = entry.manifest.outcome.seconds();
    Some((format!("{}  {kind:<8} {task}, made in {}", key.short(), long(took)), took))
}

pub(super) fn rm(args: &Args, store: &Store) -> Result<u8, Problem> {
    let Args { entries, yes } = args;
    let (mut chosen, mut text, mut seconds) = (HashSet::new(), String::new(), 0.0);
    let mut found = vec![false; entries.len()];
    for key in store.keys()? {
        let task = match store.find(&key, Depth::Manifest) {
            Ok(Lookup::Whole(entry)) => entry.manifest.provenance.node,
            _ => String::new(),
        };
        let node = task.rsplit_once('@').map_or(&*task, |(node, _)| node);
        let full = key.to_string();
        for (entry, found) in entries.iter().zip(&mut found) {
            let pattern = glob::Pattern::new(entry);
            let named =
                pattern.is_ok_and(|pattern| pattern.matches(&task) || pattern.matches(node));
            if named || (entry.len() >= 4 && full.starts_with(entry)) {
                *found = true;
                chosen.insert(key);
            }
        }
        if let Some((line, took)) = entry_line(store, &key).filter(|_| chosen.contains(&key)) {
            seconds += took;
            text += &(line + "\n");
        }
    }
    if let Some((entry, _)) = entries.iter().zip(&found).find(|(_, found)| !**found) {
        let problem =
            format!("`{entry}` is the start of no key, and no node of that name made an entry");
        return Err(Problem::Entry(problem));
    }
    let (count, took) = (chosen.len(), long(seconds));
    let (ies, verb) =
        (if count == 1 { "y" } else { "ies" }, if *yes { "removed" } else { "would remove" });
    text += &format!("{verb} {count} entr{ies}, which took {took}");
    if *yes {
        store.remove(&chosen)?;
    } else {
        text += "; --yes removes them";
    }
    print(&(text + "\n"))?;
    Ok(exit::OK)
}
