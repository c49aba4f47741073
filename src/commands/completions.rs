//! `takd completions`.

use crate::console::{
    exit::{self, Problem},
    print_data,
};
use clap_complete::Shell;

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd completions bash > ~/.local/share/bash-completion/completions/takd")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Of the whole command line `takd`.
pub(super) fn run(args: &Args, mut takd: clap::Command) -> Result<u8, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut takd, "takd", &mut script);
    print_data(&String::from_utf8_lossy(&script))?;
    Ok(exit::OK)
}
