//! What packagers and shells need: completions, manual pages, the schema of pipelines.

use super::{
    arranged,
    exit::{self, Problem},
    plural, print_data, say,
};
use clap_complete::Shell;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The JSON schema of pipelines.
const SCHEMA: &str = include_str!("../../schema/takd.schema.json");

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd completions bash > ~/.local/share/bash-completion/completions/takd")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd man ~/.local/share/man/man1")]
pub(super) struct Man {
    /// The folder; it is made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(clap::Args)]
#[command(after_help = "Example, for editors that use taplo:
  takd schema > takd.schema.json
and as the first line of a pipeline beside it:
  #:schema ./takd.schema.json")]
pub(super) struct Schema {}

impl Completions {
    pub fn run(&self) -> Result<u8, Problem> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut arranged(), "takd", &mut script);
        print_data(&String::from_utf8_lossy(&script))?;
        Ok(exit::OK)
    }
}

impl Man {
    pub fn run(&self) -> Result<u8, Problem> {
        let write = || -> io::Result<usize> {
            let beside = self.folder.join(format!(".takd-{}", std::process::id()));
            fs::create_dir_all(&beside)?;
            let pages = generate(&beside, &self.folder);
            fs::remove_dir_all(&beside)?;
            pages
        };
        let count = write().map_err(|error| Problem::Write { path: self.folder.clone(), error })?;
        say(&format!("{} holds {count} page{}", self.folder.display(), plural(count)));
        Ok(exit::OK)
    }
}

/// Writes the pages into a folder of their own, and brings them from there once all are whole.
fn generate(beside: &Path, folder: &Path) -> io::Result<usize> {
    clap_mangen::generate_to(arranged(), beside)?;
    let pages: Vec<_> = fs::read_dir(beside)?.collect::<io::Result<_>>()?;
    for page in &pages {
        fs::File::open(page.path())?.sync_all()?;
        fs::rename(page.path(), folder.join(page.file_name()))?;
    }
    Ok(pages.len())
}

impl Schema {
    pub fn run() -> Result<u8, Problem> {
        print_data(SCHEMA)?;
        Ok(exit::OK)
    }
}
