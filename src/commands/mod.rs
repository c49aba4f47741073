//! The command line: arguments in, text and an exit code out.
//!
//! Results go to stdout; progress, notes and errors go to stderr.

mod cache;
mod check;
mod data;
pub mod exit;
mod export;
mod graph;
mod open;
mod plan;
mod progress;
mod report;
mod run;
mod survey;
mod why;

use clap::{Parser, Subcommand};
use exit::Problem;
use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

/// Teacher-assistant knowledge distillation: train, distill and evaluate what a TOML file describes,
/// and never twice.
#[derive(Parser)]
#[command(name = "takd", version, about, after_help = exit::HELP, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Folder of the cache
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TAKD_CACHE",
        hide_env_values = true,
        default_value = "cache"
    )]
    cache: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Train, distill and evaluate what the cache does not hold yet, and print the tables
    Run(run::Args),
    /// Read a pipeline and report every error in it
    Check(check::Args),
    /// Show for each node whether it is reused or runs, and why
    Plan(plan::Args),
    /// Show which hashed fields of a node differ from the nearest entry in the cache
    Why(why::Args),
    /// Draw the nodes and what they learn from
    Graph(graph::Args),
    /// Print the tables from the cache alone; trains nothing
    Report(report::Args),
    /// Write a trained network's weights as safetensors, under PyTorch's names
    Export(export::Args),
    /// List, download and check data sets
    #[command(subcommand)]
    Data(data::Command),
    /// Look at the cache, check it, and clean it up
    #[command(subcommand)]
    Cache(cache::Command),
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let store = crate::store::Store::new(cli.cache);
    let done = match cli.command {
        Command::Run(args) => run::run(&args, &store),
        Command::Check(args) => check::run(&args),
        Command::Plan(args) => plan::run(&args, &store),
        Command::Why(args) => why::run(&args, &store),
        Command::Graph(args) => graph::run(&args),
        Command::Report(args) => report::run(&args, &store),
        Command::Export(args) => export::run(&args, &store),
        Command::Data(command) => data::run(&command),
        Command::Cache(command) => cache::run(&command, &store),
    };
    let code = done.unwrap_or_else(|problem| {
        say(&problem.render(io::stderr().is_terminal() && coloured()));
        problem.exit_code()
    });
    ExitCode::from(code)
}

/// Whether the user wants colours at all (<https://no-color.org>).
fn coloured() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a result to stdout.
fn print(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read us has seen enough, `head` say.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(Problem::Output),
    }
}

/// Writes a line to stderr. If even that fails there is nobody left to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// `s` unless there is exactly one.
fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
