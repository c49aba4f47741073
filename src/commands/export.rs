//! `takd export`.

use super::{
    exit::{self, Problem},
    open::PipelineArgs,
    say, write,
};
use crate::{
    graph::{Graph, SelectError},
    key::keys,
    node::WEIGHTS,
    spec::Work,
    store::{Depth, Lookup, Store},
};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd export pipelines/quickstart.toml teacher@20 -o teacher.safetensors")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with its seed where the pipeline has several (student@31)
    node: String,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let pipeline = args.pipeline.open()?;
    let graph = Graph::new(&pipeline);
    let mut tasks = graph.select(std::slice::from_ref(&args.node))?;
    tasks.retain(|&task| matches!(pipeline.nodes[graph.tasks[task].node].work, Work::Learn(_)));
    let keys = keys(&graph);
    tasks.dedup_by_key(|task| keys[*task].1);
    let task = match tasks.as_slice() {
        [task] => *task,
        [] => return Err(SelectError::NoMatch(args.node.clone()).into()),
        many => {
            let names: Vec<String> = many.iter().map(|&task| graph.name(task)).collect();
            let problem = format!("`{}` means {}: name one", args.node, names.join(", "));
            return Err(Problem::Entry(problem));
        }
    };
    let (name, key) = (graph.name(task), keys[task].1);
    let entry = match store.find(&key, Depth::Manifest)? {
        Lookup::Whole(entry) => entry,
        Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => {
            let file = args.pipeline.file();
            let problem = format!("{name} is not in the cache: `takd run {file} {name}` makes it");
            return Err(Problem::Entry(problem));
        }
    };
    let bytes = entry.read(WEIGHTS)?;
    write(&args.output, &bytes)?;
    say(&format!("wrote {name} to {} ({} bytes)", args.output.display(), bytes.len()));
    Ok(exit::OK)
}
