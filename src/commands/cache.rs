//! `takd cache`.

use crate::{
    console::{
        Given, entry_key,
        exit::{self, Problem},
        long, print, print_json,
    },
    key::{Key, keys},
    report::plural,
    store::{Depth, Lookup, Store},
};
use indicatif::HumanBytes;
use std::{collections::HashSet, path::PathBuf};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the entries
    #[command(after_help = "Example:
  takd cache list --cache /scratch/takd")]
    List,
    /// Print an entry's manifest: what went in, what came out, where it was made
    #[command(after_help = "Example:
  takd cache show 3fa9")]
    Show {
        /// The key, or enough of its start
        key: String,
    },
    /// Check every file of every entry against its digest
    #[command(after_help = "Example:
  takd cache verify")]
    Verify,
    /// Remove entries by their keys or by the nodes that made them
    ///
    /// Without --yes it only says what it would remove, and how long that took to make.
    #[command(after_help = "Example:
  takd cache rm 'teacher@*' 3fa9 --yes")]
    Rm {
        /// Starts of keys, or globs of nodes (student, 'ta/*@20')
        #[arg(required = true)]
        entries: Vec<String>,
        /// Remove them
        #[arg(long)]
        yes: bool,
    },
    /// Remove what these pipelines do not reach, and what damage and dead runs left behind
    ///
    /// Entries and checkpoints of other versions of takd are left alone: which pipelines reach them
    /// only those know.
    #[command(after_help = "Example:
  takd cache gc pipelines/*.toml --dry-run")]
    Gc {
        /// Pipelines whose entries are kept
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Also remove what other versions of takd have left
        #[arg(long)]
        other_versions: bool,
        #[command(flatten)]
        given: Given,
    },
}

pub(super) fn run(command: &Command, store: &Store) -> Result<u8, Problem> {
    match command {
        Command::List => list(store),
        Command::Show { key } => show(store, key),
        Command::Verify => verify(store),
        Command::Rm { entries, yes } => rm(store, entries, *yes),
        Command::Gc { files, dry_run, other_versions, given } => {
            let keep = keep(files, given, store)?;
            let others = if *other_versions { Vec::new() } else { store.other_versions()? };
            gc(store, keep, others, *dry_run)
        }
    }
}

fn list(store: &Store) -> Result<u8, Problem> {
    let mut text = String::new();
    let (mut count, mut total) = (0, 0);
    for key in store.keys()? {
        let (kind, size, from) = match store.find(&key, Depth::Manifest) {
            Err(error) => ("unread".to_owned(), 0, error.to_string()),
            Ok(Lookup::Missing) => continue,
            Ok(Lookup::Damaged(problem)) => ("damaged".to_owned(), 0, problem),
            Ok(Lookup::OtherVersion(version)) => ("other".to_owned(), 0, version),
            Ok(Lookup::Whole(entry)) => {
                let kind = entry.manifest.inputs.kind.to_string();
                (kind, entry.bytes(), entry.manifest.provenance.node)
            }
        };
        (count, total) = (count + 1, total + size);
        text +=
            &format!("{}  {kind:<8} {:>10}  {from}\n", key.short(), HumanBytes(size).to_string());
    }
    let (root, ies) = (store.root().display(), if count == 1 { "y" } else { "ies" });
    print(&format!("{text}{count} entr{ies}, {}, in {root}\n", HumanBytes(total)))?;
    Ok(exit::OK)
}

fn show(store: &Store, prefix: &str) -> Result<u8, Problem> {
    let key = &entry_key(store, prefix)?;
    match store.find(key, Depth::Manifest)? {
        Lookup::Whole(entry) => {
            print_json(&entry.manifest)?;
            Ok(exit::OK)
        }
        Lookup::Damaged(problem) => {
            print(&format!("{key} is damaged: {problem}\n"))?;
            Ok(exit::FAILED)
        }
        Lookup::OtherVersion(version) => {
            print(&format!("{key} was written by another version of takd: {version}\n"))?;
            Ok(exit::OK)
        }
        Lookup::Missing => {
            Err(Problem::Entry(format!("the entry {key} is no longer in the cache")))
        }
    }
}

fn verify(store: &Store) -> Result<u8, Problem> {
    let (mut whole, mut damaged, mut others, mut unread) = (0, 0, 0, 0);
    let mut text = String::new();
    for key in store.keys()? {
        match store.find(&key, Depth::Content) {
            // One bad sector must not keep the others from being checked.
            Err(error) => {
                unread += 1;
                text += &format!("{key} cannot be checked: {error}\n");
            }
            Ok(Lookup::Missing) => {}
            Ok(Lookup::Whole(_)) => whole += 1,
            Ok(Lookup::Damaged(problem)) => {
                damaged += 1;
                text += &format!("{key} is damaged: {problem}\n");
            }
            Ok(Lookup::OtherVersion(version)) => {
                others += 1;
                text += &format!(
                    "{key} was written by another version of takd, and is not checked: {version}\n"
                );
            }
        }
    }
    if damaged > 0 {
        text += "the next run that needs a damaged entry sets it aside and rebuilds it\n";
    }
    let mut counts = format!("{whole} whole, {damaged} damaged");
    for (count, what) in [(others, "of other takd versions"), (unread, "unreadable")] {
        if count > 0 {
            counts += &format!(", {count} {what}");
        }
    }
    print(&format!("{text}{counts}\n"))?;
    Ok(match (unread, damaged) {
        (0, 0) => exit::OK,
        (0, _) => exit::FAILED,
        _ => exit::CACHE,
    })
}

/// The keys that these pipelines reach.
fn rm(store: &Store, entries: &[String], yes: bool) -> Result<u8, Problem> {
    let keys = store.keys()?;
    let (mut chosen, mut text, mut seconds) = (HashSet::new(), String::new(), 0.0);
    let mut found = vec![false; entries.len()];
    for &key in &keys {
        let made = match store.find(&key, Depth::Manifest) {
            Ok(Lookup::Whole(entry)) => Some(entry.manifest),
            _ => None,
        };
        let task = made.as_ref().map_or("", |made| &made.provenance.node);
        let node = task.rsplit_once('@').map_or(task, |(node, _)| node);
        let full = key.to_string();
        for (entry, found) in entries.iter().zip(&mut found) {
            let pattern = glob::Pattern::new(entry);
            let named = pattern.is_ok_and(|pattern| pattern.matches(task) || pattern.matches(node));
            if named || (entry.len() >= 4 && full.starts_with(entry)) {
                *found = true;
                chosen.insert(key);
            }
        }
        if let (true, Some(made)) = (chosen.contains(&key), &made) {
            let took = made.outcome.seconds();
            seconds += took;
            text += &format!(
                "{}  {:<8} {task}, made in {}\n",
                key.short(),
                made.inputs.kind,
                long(took)
            );
        }
    }
    if let Some((entry, _)) = entries.iter().zip(&found).find(|(_, found)| !**found) {
        let problem =
            format!("`{entry}` is the start of no key, and no node of that name made an entry");
        return Err(Problem::Entry(problem));
    }
    let (count, took) = (chosen.len(), long(seconds));
    let (ies, verb) =
        (if count == 1 { "y" } else { "ies" }, if yes { "removed" } else { "would remove" });
    text += &format!("{verb} {count} entr{ies}, which took {took}");
    if yes {
        store.remove(&chosen)?;
    } else {
        text += "; --yes removes them";
    }
    print(&(text + "\n"))?;
    Ok(exit::OK)
}

/// Keys that pipelines reach: those of all trials that their searches have come to, too.
fn keep(files: &[PathBuf], given: &Given, store: &Store) -> Result<HashSet<Key>, Problem> {
    let mut keep = HashSet::new();
    for file in files {
        // The cache is visited while it is read, and no longer: gc wants to be alone.
        let session = given.opening(file).session(store.clone())?;
        for (inputs, key) in keys(&session.graph()) {
            keep.insert(key);
            keep.extend(inputs.teacher_logits().iter().map(|logits| logits.key()));
        }
    }
    Ok(keep)
}

fn gc(
    store: &Store,
    mut keep: HashSet<Key>,
    others: Vec<Key>,
    dry_run: bool,
) -> Result<u8, Problem> {
    let left = others.len();
    keep.extend(others);
    let garbage = store.gc(&keep, dry_run)?;
    let (verb, done) = if dry_run { ("would remove", "would free") } else { ("removed", "freed") };
    let mut text = String::new();
    for item in &garbage {
        text += &format!("{verb} {} ({})\n", item.path.display(), HumanBytes(item.bytes));
    }
    let bytes = HumanBytes(garbage.iter().map(|item| item.bytes).sum());
    let count = garbage.len();
    text += &format!("{done} {bytes} in {count} folder{}\n", plural(count));
    if left > 0 {
        text += &format!("left {left} of other takd versions; --other-versions removes them\n");
    }
    print(&text)?;
    Ok(exit::OK)
}
