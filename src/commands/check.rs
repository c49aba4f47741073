//! `takd check`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        print, say,
    },
    graph::Graph,
    report::plural,
    session::{Absent, absent_data},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd check pipelines/quickstart.toml --set recipe.short.epochs=1")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
}

pub(super) fn run(args: &Args) -> Result<u8, Problem> {
    let pipeline = args.pipeline.opening().absent(Absent::Planned).pipeline()?;
    for preset in &pipeline.presets {
        args.pipeline.open_preset(preset)?;
    }
    let (nodes, seeds) = (pipeline.nodes.len(), pipeline.seeds.len());
    let graph = Graph::new(&pipeline);
    let tasks = graph.tasks.len();
    let file = args.pipeline.file();
    print(&format!(
        "{file}: no errors; {nodes} node{} × {seeds} seed{} = {tasks} task{}\n",
        plural(nodes),
        plural(seeds),
        plural(tasks)
    ))?;
    pipeline.doubts().iter().for_each(|doubt| say(&format!("warning: {doubt}")));
    absent_data(&graph).iter().for_each(|note| say(&format!("note: {note}")));
    Ok(exit::OK)
}
