//! `takd graph`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        print,
    },
    pipeline::{Node, Pipeline, Work},
    session::Absent,
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd graph pipelines/quickstart.toml --format mermaid")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Language of the drawing
    #[arg(long, value_enum, default_value = "dot")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Graphviz
    Dot,
    /// Mermaid, which GitHub shows in Markdown
    Mermaid,
}

pub(super) fn run(args: &Args) -> Result<u8, Problem> {
    let pipeline = args.pipeline.opening().absent(Absent::Planned).pipeline()?;
    print(&match args.format {
        Format::Dot => dot(&pipeline),
        Format::Mermaid => mermaid(&pipeline),
    })?;
    Ok(exit::OK)
}

/// What stands in a node's box, a line each.
fn label(node: &Node) -> [String; 2] {
    let what = match &node.work {
        Work::Learn(learn) => format!("{} {}", node.kind(), learn.net_name),
        Work::Eval(eval) => format!("eval {:?}", eval.split).to_lowercase(),
    };
    [node.name.clone(), what]
}

fn edges(pipeline: &Pipeline) -> impl Iterator<Item = (usize, usize)> {
    let nodes = 0..pipeline.nodes.len();
    nodes.flat_map(|node| pipeline.dag.parents(node).iter().map(move |&parent| (parent, node)))
}

/// Node names hold neither quotes nor backslashes; nets may be named anything.
fn escape(text: &str, quote: &str) -> String {
    text.replace('\\', "\\\\").replace('"', quote).replace('\n', " ")
}

fn dot(pipeline: &Pipeline) -> String {
    let mut text = "digraph takd {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        let [name, what] = label(node).map(|line| escape(&line, "\\\""));
        text += &format!("  n{index} [label=\"{name}\\n{what}\"];\n");
    }
    for (from, to) in edges(pipeline) {
        text += &format!("  n{from} -> n{to};\n");
    }
    text + "}\n"
}

fn mermaid(pipeline: &Pipeline) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        let [name, what] = label(node).map(|line| escape(&line, "#quot;"));
        text += &format!("  n{index}[\"{name}<br/>{what}\"]\n");
    }
    for (from, to) in edges(pipeline) {
        text += &format!("  n{from} --> n{to}\n");
    }
    text
}
