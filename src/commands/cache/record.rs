//! `takd cache record` and `takd cache recall`: results that outlive the cache.

use super::reach::Reach;
use crate::{
    console::{
        exit::{self, Problem},
        print, write,
    },
    input::{self, MOST_PIPELINE},
    store::{RecordError, Store},
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(in crate::commands) struct RecordArgs {
    #[command(flatten)]
    reach: Reach,
    /// The file to write, a line for each entry
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(clap::Args)]
pub(in crate::commands) struct RecallArgs {
    /// Files that `takd cache record` has written
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn record(args: &RecordArgs, store: &Store) -> Result<u8, Problem> {
    let (mut lines, mut missing) = (Vec::new(), 0);
    for key in args.reach.keys(store)? {
        match store.record(&key)? {
            Some(line) => lines.push(line + "\n"),
            None => missing += 1,
        }
    }
    write(&args.output, lines.concat())?;
    let (count, file) = (lines.len(), args.output.display());
    print(&format!("recorded {count} entries in {file}; the cache lacks {missing}\n"))?;
    Ok(exit::OK)
}

pub(super) fn recall(args: &RecallArgs, store: &Store) -> Result<u8, Problem> {
    if let (_, Some(refusal)) = store.enter() {
        return Err(refusal.into());
    }
    let (mut new, mut known) = (0, 0);
    for path in &args.files {
        let read = |error| Problem::Read { path: path.clone(), error };
        let bytes = input::read(path, MOST_PIPELINE).map_err(read)?;
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in (1..).zip(text.lines()) {
            match store.recall(line) {
                Ok(true) => new += 1,
                Ok(false) => known += 1,
                Err(RecordError::Store(error)) => return Err(error.into()),
                Err(RecordError::Wrong(problem)) => {
                    let file = path.display();
                    return Err(Problem::Entry(format!(
                        "line {number} of {file} is no record of an entry: {problem}"
                    )));
                }
            }
        }
    }
    print(&format!("recalled {new} entries; {known} were known\n"))?;
    Ok(exit::OK)
}
