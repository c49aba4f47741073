//! `takd why`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        nodes, print, tell_damaged,
    },
    session::Selection,
    store::Store,
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd why pipelines/quickstart.toml takd --set recipe.short.epochs=9")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with or without its seed (student, student@31); globs
    #[arg(value_name = "NODE", required = true, add = nodes())]
    nodes: Vec<String>,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let session = args.pipeline.planned_session(store)?;
    tell_damaged(&session.survey()?);
    print(&session.why(&Selection::of(&args.nodes))?)?;
    Ok(exit::OK)
}
