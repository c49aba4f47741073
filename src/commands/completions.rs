//! `takd completions`.

use crate::console::{
    exit::{self, Problem},
    print_data,
};
use clap_complete::{Shell, env::Shells};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd completions bash        in ~/.bashrc: source <(takd completions bash)")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// The variable by which a shell asks for completions.
pub(super) const ASKED_BY: &str = "COMPLETE";

/// What makes a shell ask takd at each Tab: only takd knows the nodes of a pipeline.
pub(super) fn run(args: &Args) -> Result<u8, Problem> {
    let (shells, name, mut script) = (Shells::builtins(), args.shell.to_string(), Vec::new());
    if let Some(shell) = shells.completer(&name) {
        let written = shell.write_registration(ASKED_BY, "takd", "takd", "takd", &mut script);
        written.map_err(Problem::Output)?;
    }
    print_data(&String::from_utf8_lossy(&script))?;
    Ok(exit::OK)
}
