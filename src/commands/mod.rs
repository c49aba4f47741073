//! The command line: arguments in, text and an exit code out.
//!
//! Results go to stdout; progress, notes and errors go to stderr.

mod absent;
mod cache;
mod check;
mod data;
mod devices;
mod diff;
pub mod exit;
mod export;
mod graph;
mod help;
mod home;
mod init;
mod inspect;
mod manual;
mod open;
mod output;
mod plan;
mod progress;
mod records;
mod report;
mod run;
mod signals;
mod status;
mod stderr;
mod survey;
mod why;

use crate::report::{plural, printable};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use exit::Problem;
use output::write;
use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};
use stderr::Worth;

/// Teacher-assistant knowledge distillation as pipelines that never train twice
#[derive(Parser)]
#[command(name = "takd", version, disable_help_subcommand = true)]
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
        default_value = "cache",
        value_parser = home::folder()
    )]
    cache: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented pipeline for a data set that you have
    Init(init::Args),
    /// Read a pipeline and report every error in it
    Check(check::Args),
    /// List, download and check data sets
    #[command(subcommand, after_help = "Example:\n  takd data fetch cifar10")]
    Data(data::Command),
    /// List what this build and this machine can compute on
    Devices(devices::Args),
    /// Show for each node whether it is reused or runs, and why
    Plan(plan::Args),
    /// Show which hashed fields differ from the nearest entry
    Why(why::Args),
    /// Train, distill and measure what the cache lacks
    Run(run::Args),
    /// Show which nodes run now, in any process, and how far
    Status(status::Args),
    /// Print the tables from the cache alone; trains nothing
    Report(report::Args),
    /// Show what differs between two pipelines or two entries
    Diff(diff::Args),
    /// Draw the nodes and what they learn from
    Graph(graph::Args),
    /// Write a trained network's weights for PyTorch
    Export(export::Args),
    /// Look at the cache, check it, and clean it up
    #[command(subcommand, after_help = "Example:\n  takd cache list")]
    Cache(cache::Command),
    /// Print the JSON schema of pipelines, for editors
    Schema(manual::Schema),
    /// Print completions for a shell
    Completions(manual::Completions),
    /// Write the manual's pages into a folder
    Man(manual::Man),
}

/// The command line with its help in groups.
fn arranged() -> clap::Command {
    help::grouped(Cli::command())
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    signals::bear_file_limits();
    let matches = arranged().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let json = matches!(&cli.command, Command::Run(args) if args.log.is_json());
    records::listen(json);
    let store = crate::store::Store::new(cli.cache);
    // Whoever reads the cache keeps gc away; gc is the one that wants to be alone.
    let alone = matches!(cli.command, Command::Cache(cache::Command::Gc { .. }));
    let _visit = (!alone).then(|| store.visit());
    let done = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Data(command) => data::run(&command),
        Command::Devices(_) => devices::run(),
        Command::Plan(args) => plan::run(&args, &store),
        Command::Why(args) => why::run(&args, &store),
        Command::Run(args) => run::run(&args, &store),
        Command::Status(args) => status::run(&args, &store),
        Command::Report(args) => report::run(&args, &store),
        Command::Diff(args) => diff::run(&args, &store),
        Command::Graph(args) => graph::run(&args),
        Command::Export(args) => export::run(&args, &store),
        Command::Cache(command) => cache::run(&command, &store),
        Command::Schema(_) => manual::Schema::run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    };
    let code = done.unwrap_or_else(|problem| {
        if json {
            let (message, code) = (problem.render(false), problem.exit_code());
            progress::tell("error", serde_json::json!({ "message": message, "exit_code": code }));
        } else {
            say(&problem.render(coloured()));
        }
        problem.exit_code()
    });
    stderr::flush();
    ExitCode::from(code)
}

/// Whether messages are coloured: as NO_COLOR, CLICOLOR_FORCE and CLICOLOR say
/// (<https://no-color.org>, <https://bixense.com/clicolors>), else on terminals that can.
fn coloured() -> bool {
    if anstyle_query::no_color() {
        return false;
    }
    anstyle_query::clicolor_force()
        || (io::stderr().is_terminal()
            && anstyle_query::term_supports_color()
            && anstyle_query::clicolor().unwrap_or(true))
}

/// Writes a result for people to stdout.
fn print(text: &str) -> Result<(), Problem> {
    print_data(&printable(text, false))
}

/// Writes a result for programs to stdout, as it is.
fn print_data(text: &str) -> Result<(), Problem> {
    // Where both go to one place, what was told before stands before.
    stderr::hurry();
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read us has seen enough, `head` say.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(Problem::Output),
    }
}

/// Writes a line to stderr.
fn say(line: &str) {
    stderr::line(printable(line, coloured()).into_owned(), Worth::Word);
}
