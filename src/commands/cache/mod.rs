//! `takd cache`.

mod gc;
mod list;
mod reach;
mod record;
mod remote;
mod remove;
mod variants;

use crate::{
    console::{
        entry_key,
        exit::{self, Problem},
        print, print_json,
    },
    store::{Depth, Lookup, Store},
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the entries
    #[command(after_help = "Example:
  takd cache list pipelines/*.toml --sort size")]
    List(list::Args),
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
    Rm(remove::Args),
    /// Remove what these pipelines do not reach, and what damage and dead runs left behind
    ///
    /// It lists that first, with what it took to make and which pipelines nearby use it, and asks.
    #[command(after_help = "Example:
  takd cache gc --older-than 30d --keep pipelines/*.toml")]
    Gc(gc::Args),
    /// Write what tables need of pipelines' entries into a file that outlives the cache: no weights
    #[command(after_help = "Example:
  takd cache record docs/results-cifar10.toml -o docs/results-cifar10.jsonl")]
    Record(record::RecordArgs),
    /// Take in what `record` has written, so that tables show entries that are gone
    #[command(after_help = "Example:
  takd cache recall docs/results-cifar10.jsonl")]
    Recall(record::RecallArgs),
    /// Push what the cache has of pipelines to a remote that lacks it
    #[command(after_help = "Example:
  takd cache push pipelines/vgg.toml --remote s3://papers/takd")]
    Push(remote::Args),
    /// Pull what a remote has of pipelines and the cache lacks, weights too
    #[command(after_help = "Example:
  takd cache pull pipelines/vgg.toml --node takd --remote s3://papers/takd")]
    Pull(remote::Args),
    /// Count what of pipelines is here, in a remote, and in both
    #[command(after_help = "Example:
  takd cache status pipelines/vgg.toml --remote s3://papers/takd")]
    Status(remote::Args),
}

pub(super) fn run(command: &Command, store: &Store) -> Result<u8, Problem> {
    match command {
        Command::List(args) => list::list(args, store),
        Command::Show { key } => show(store, key),
        Command::Verify => verify(store),
        Command::Rm(args) => remove::rm(args, store),
        Command::Gc(args) => gc::gc(args, store),
        Command::Record(args) => record::record(args, store),
        Command::Recall(args) => record::recall(args, store),
        Command::Push(args) => remote::push(args, store),
        Command::Pull(args) => remote::pull(args, store),
        Command::Status(args) => remote::status(args, store),
    }
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
