//! The command line: arguments in, text and an exit code out. One file per command; none imports
//! another, and what they share is in [`console`](crate::console).

mod cache;
mod check;
mod completions;
mod data;
mod devices;
mod diff;
mod export;
mod graph;
mod init;
mod man;
mod nets;
mod plan;
mod predict;
mod report;
mod run;
mod schema;
mod status;
mod why;

use crate::{
    console::{coloured, flush, folder, grouped, listen, say, tell},
    pipeline::nearest,
    store::Store,
};
use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use clap_complete::CompleteEnv;
use std::{path::PathBuf, process::ExitCode};

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
        value_parser = folder()
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
    /// List the built-in networks
    Nets(nets::Args),
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
    /// Ask a trained network about pictures
    Predict(predict::Args),
    /// Look at the cache, check it, and clean it up
    #[command(subcommand, after_help = "Example:\n  takd cache list")]
    Cache(cache::Command),
    /// Print the JSON schema of pipelines, for editors
    Schema(schema::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Write the manual's pages into a folder
    Man(man::Args),
}

/// The command line with its help in groups.
fn arranged() -> clap::Command {
    grouped(Cli::command())
}

/// A mistake of the command line, with the command that was probably meant: two letters changed round are
/// too far apart for clap.
fn meant(mut error: clap::Error) -> clap::Error {
    let said = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(said)) => said.clone(),
        _ => return error,
    };
    let takd = arranged();
    let within = std::env::args().find_map(|word| takd.find_subcommand(word));
    let commands = within.filter(|command| command.has_subcommands()).unwrap_or(&takd);
    let near = nearest(&said, commands.get_subcommands().map(clap::Command::get_name));
    if let Some(near) = near.filter(|_| error.get(ContextKind::SuggestedSubcommand).is_none()) {
        let near = ContextValue::Strings(vec![near.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
    error
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    CompleteEnv::with_factory(arranged).var(completions::ASKED_BY).complete();
    #[cfg(unix)]
    crate::console::bear_file_limits();
    let matches = arranged().try_get_matches().unwrap_or_else(|error| meant(error).exit());
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let json = matches!(&cli.command, Command::Run(args) if args.log.is_json());
    listen(json);
    let store = Store::new(cli.cache);
    // Whoever reads the cache keeps gc away; gc is the one that wants to be alone.
    let alone =
        matches!(cli.command, Command::Cache(cache::Command::Gc(_) | cache::Command::Rm(_)));
    let _visit = (!alone).then(|| store.visit());
    let done = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Data(command) => data::run(&command),
        Command::Devices(_) => devices::run(),
        Command::Nets(args) => nets::run(&args),
        Command::Plan(args) => plan::run(&args, &store),
        Command::Why(args) => why::run(&args, &store),
        Command::Run(args) => run::run(&args, &store),
        Command::Status(args) => status::run(&args, &store),
        Command::Report(args) => report::run(&args, &store),
        Command::Diff(args) => diff::run(&args, &store),
        Command::Graph(args) => graph::run(&args, &store),
        Command::Export(args) => export::run(&args, &store),
        Command::Predict(args) => predict::run(&args, &store),
        Command::Cache(command) => cache::run(&command, &store),
        Command::Schema(_) => schema::run(),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args, arranged()),
    };
    let code = done.unwrap_or_else(|problem| {
        if json {
            let (message, code) = (problem.render(false), problem.exit_code());
            tell("error", serde_json::json!({ "message": message, "exit_code": code }));
        } else {
            say(&problem.render(coloured()));
        }
        problem.exit_code()
    });
    flush();
    ExitCode::from(code)
}
