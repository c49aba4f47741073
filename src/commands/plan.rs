//! `takd plan`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        nodes, show, tell_damaged,
    },
    session::Selection,
    store::Store,
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd plan pipelines/quickstart.toml --set distill.takd.objective.kd.lambda=0.7")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Only these nodes and what they need; globs
    #[arg(value_name = "NODE", add = nodes())]
    nodes: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let session = args.pipeline.planned_session(store)?;
    let survey = session.survey()?;
    tell_damaged(&survey);
    let plan = session.plan_of(&survey, &Selection::of(&args.nodes))?;
    show(&session, &survey, &plan, args.json)?;
    Ok(exit::OK)
}
