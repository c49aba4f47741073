//! `takd man`.

use crate::{
    console::{
        exit::{self, Problem},
        say,
    },
    report::plural,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd man ~/.local/share/man/man1")]
pub(super) struct Args {
    /// The folder; it is made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Of the whole command line `takd`.
pub(super) fn run(args: &Args, takd: clap::Command) -> Result<u8, Problem> {
    let write = || -> io::Result<usize> {
        let beside = args.folder.join(format!(".takd-{}", std::process::id()));
        fs::create_dir_all(&beside)?;
        let pages = generate(takd, &beside, &args.folder);
        fs::remove_dir_all(&beside)?;
        pages
    };
    let count = write().map_err(|error| Problem::Write { path: args.folder.clone(), error })?;
    say(&format!("{} holds {count} page{}", args.folder.display(), plural(count)));
    Ok(exit::OK)
}

/// Writes the pages into a folder of their own, and brings them from there once all are whole.
fn generate(takd: clap::Command, beside: &Path, folder: &Path) -> io::Result<usize> {
    clap_mangen::generate_to(takd, beside)?;
    let pages: Vec<_> = fs::read_dir(beside)?.collect::<io::Result<_>>()?;
    for page in &pages {
        fs::File::open(page.path())?.sync_all()?;
        fs::rename(page.path(), folder.join(page.file_name()))?;
    }
    Ok(pages.len())
}
