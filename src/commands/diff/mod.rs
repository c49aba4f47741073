//! `takd diff`: which configs differ, and which results.

mod entries;
mod pipelines;

use crate::{
    console::{
        PipelineArgs, entry_key,
        exit::{self, Problem},
        print, print_data,
    },
    store::Store,
};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  takd diff mine.toml --against pipelines/quickstart.toml
  takd diff 3f9ac2 --against 81d07b")]
#[command(override_usage = "takd diff [OPTIONS] <FILE> --against <FILE>\n       \
                            takd diff [OPTIONS] <KEY> --against <KEY>")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The pipeline or the entry, by its key, to compare with: the old one
    #[arg(long, value_name = "OTHER")]
    against: PathBuf,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let given = [args.pipeline.path(), &args.against];
    let keys = given.map(|path| path.to_str().filter(|text| is_key(text) && !path.exists()));
    let (json, text) = match keys {
        [Some(new), Some(old)] => {
            let [old, new] = [entry_key(store, old)?, entry_key(store, new)?];
            let diff = entries::Diff::new(store, &old, &new)?;
            (serde_json::to_string_pretty(&diff), diff.text())
        }
        _ => {
            let new = args.pipeline.session(store)?.pipeline;
            let old = args.pipeline.open_other(&args.against, store)?;
            let diff = pipelines::Diff::new(&old, &new, store)?;
            let names = given.map(|path| path.display().to_string());
            (serde_json::to_string_pretty(&diff), diff.text(&names[1], &names[0]))
        }
    };
    let json = json.expect("plain data with string keys is always JSON") + "\n";
    if args.json { print_data(&json) } else { print(&text) }?;
    Ok(exit::OK)
}

/// Whether a word may be meant as a key.
fn is_key(text: &str) -> bool {
    text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
