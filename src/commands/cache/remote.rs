//! `takd cache push`, `takd cache pull` and `takd cache status`: the cache beside one that machines share.

use super::reach::Reach;
use crate::{
    console::{
        RemoteArgs,
        exit::{self, Problem},
        print, say,
    },
    key::Key,
    remote::{Pulled, Pushed, Remote, RemoteError, Transfer, transfer},
    store::{Depth, Lookup, Store},
};
use indicatif::HumanBytes;
use std::{
    collections::HashSet,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

#[derive(clap::Args)]
pub(in crate::commands) struct Args {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remote: RemoteArgs,
}

impl Args {
    fn open(&self) -> Result<Arc<Remote>, Problem> {
        let needed = "a remote is needed: --remote URL, or TAKD_REMOTE";
        self.remote.open()?.ok_or(Problem::Usage(needed))
    }
}

/// Time between two lines of progress.
const OFTEN: Duration = Duration::from_secs(2);

/// Moves entries, with a line of progress now and then.
fn moved<T: Send>(
    verb: &str,
    keys: &[Key],
    work: &(dyn Fn(&Key) -> Result<T, RemoteError> + Sync),
    bytes: impl Fn(&T) -> u64 + Sync,
) -> Transfer<T> {
    let (mut last, mut done, mut came) = (Instant::now(), 0, 0);
    let mut tell = |one: &T| {
        done += 1;
        came += bytes(one);
        if last.elapsed() >= OFTEN {
            last = Instant::now();
            say(&format!("{verb} {done} of {} entries, {}", keys.len(), HumanBytes(came)));
        }
    };
    transfer(keys, &AtomicBool::new(false), work, &mut tell)
}

/// Says what went wrong with single entries; the exit code, or what ended all.
fn judged<T>(transfer: Transfer<T>) -> Result<u8, Problem> {
    let mut code = exit::OK;
    for (_, error) in transfer.failed {
        match error {
            RemoteError::Wrong { .. } => say(&format!("error: {error}")),
            error => return Err(error.into()),
        }
        code = exit::FAILED;
    }
    Ok(code)
}

fn entries(count: usize) -> String {
    format!("{count} entr{}", if count == 1 { "y" } else { "ies" })
}

pub(super) fn push(args: &Args, store: &Store) -> Result<u8, Problem> {
    let remote = args.open()?;
    let (reached, there) = (args.reach.keys(store)?, remote.keys()?);
    let here: HashSet<Key> = store.keys()?.into_iter().collect();
    let ours = || reached.iter().filter(|key| here.contains(key));
    let open: Vec<Key> = ours().filter(|key| !there.contains(key)).copied().collect();
    let bytes = |pushed: &Pushed| if let Pushed::New(bytes) = pushed { *bytes } else { 0 };
    let done = moved("pushed", &open, &|key| remote.push(store, key), bytes);
    let (mut new, mut went, mut had) = (0, 0, ours().count() - open.len());
    for (key, pushed) in &done.done {
        match pushed {
            Pushed::New(bytes) => {
                new += 1;
                went += bytes;
            }
            Pushed::Equal => had += 1,
            Pushed::Other(differing) => {
                had += 1;
                say(&format!(
                    "warning: the remote's entry {} {}",
                    key.short(),
                    differing.sentence()
                ));
            }
            Pushed::Gone => say(&format!("warning: {} is not whole and stays here", key.short())),
        }
    }
    let (new, name) = (entries(new), remote.name());
    print(&format!("pushed {new}, {}, to {name}; it had {had}\n", HumanBytes(went)))?;
    judged(done)
}

pub(super) fn pull(args: &Args, store: &Store) -> Result<u8, Problem> {
    let remote = args.open()?;
    if let (_, Some(refusal)) = store.enter() {
        return Err(refusal.into());
    }
    let there = remote.keys()?;
    let (mut tried, mut code) = (HashSet::new(), exit::OK);
    let (mut new, mut came, mut had, mut held) = (0, 0, 0, 0);
    // What comes may tell what a search has tried next, whose entries are there as well.
    loop {
        let reached = args.reach.keys(store)?;
        let open: Vec<Key> =
            reached.into_iter().filter(|key| there.contains(key) && tried.insert(*key)).collect();
        if open.is_empty() {
            break;
        }
        let bytes = |pulled: &Pulled| if let Pulled::Whole(bytes) = pulled { *bytes } else { 0 };
        let done = moved("pulled", &open, &|key| remote.pull(store, key), bytes);
        for pulled in done.done.values() {
            match pulled {
                Pulled::Whole(bytes) => {
                    new += 1;
                    came += bytes;
                }
                Pulled::Here => had += 1,
                Pulled::Busy => held += 1,
                Pulled::Outline(_) | Pulled::Absent => {}
            }
        }
        code = code.max(judged(done)?);
    }
    let mut text = format!("pulled {}, {}, from {}", entries(new), HumanBytes(came), remote.name());
    text += &format!("; the cache had {had}");
    if held > 0 {
        text += &format!("; a run makes {held} of them now");
    }
    print(&(text + "\n"))?;
    Ok(code)
}

pub(super) fn status(args: &Args, store: &Store) -> Result<u8, Problem> {
    let remote = args.open()?;
    let (reached, there) = (args.reach.keys(store)?, remote.keys()?);
    let (mut both, mut here) = ((0, 0), (0, 0));
    let mut away = Vec::new();
    for key in &reached {
        match (store.find(key, Depth::Manifest)?, there.contains(key)) {
            (Lookup::Whole(entry), is_there) => {
                let counts = if is_there { &mut both } else { &mut here };
                counts.0 += 1;
                counts.1 += entry.bytes();
            }
            (_, true) => away.push(*key),
            (_, false) => {}
        }
    }
    let bytes = |key: &Key| -> Result<u64, RemoteError> {
        let found = remote.manifest(key)?;
        Ok(found.map_or(0, |(_, manifest)| manifest.files.values().map(|file| file.bytes).sum()))
    };
    let sizes = moved("looked at", &away, &bytes, |_: &u64| 0);
    let away = (away.len(), sizes.done.values().sum());
    let line = |what: &str, (count, bytes): (usize, u64)| {
        format!("{what:<15}{:>14}  {:>12}\n", entries(count), HumanBytes(bytes).to_string())
    };
    let text = [line("here and there", both), line("only here", here), line("only there", away)];
    print(
        &(text.concat()
            + &format!("here is {}, there {}\n", store.root().display(), remote.name())),
    )?;
    judged(sizes)
}
