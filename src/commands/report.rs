//! `takd report`.

use super::{
    exit::{self, Problem},
    open::PipelineArgs,
    print,
};
use crate::{
    graph::Graph,
    key::keys,
    report::{Format, Report},
    store::Store,
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd report pipelines/quickstart.toml --format md")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How the tables are written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let pipeline = args.pipeline.open()?;
    let graph = Graph::new(&pipeline);
    let report = Report::gather(&graph, &keys(&graph), store)?;
    print(&report.render(args.format))?;
    Ok(exit::OK)
}
