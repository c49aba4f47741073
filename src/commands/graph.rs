//! `takd graph`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        print,
    },
    pipeline::{Node, Pipeline, Work},
    store::Store,
};
use std::{collections::HashMap, path::Path};

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

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let session = args.pipeline.planned_session(store)?;
    let drawing = Drawing::of(&session.pipeline);
    print(&match args.format {
        Format::Dot => dot(&drawing),
        Format::Mermaid => mermaid(&drawing),
    })?;
    Ok(exit::OK)
}

/// What stands in a node's box, a line each.
fn label(node: &Node) -> [String; 2] {
    let what = match &node.work {
        Work::Learn(learn) => format!("{} {}", node.kind(), learn.net_name),
        Work::Eval(eval) => format!("eval {}", eval.split.name()),
    };
    [node.name.clone(), what]
}

/// Boxes of two lines each, and what leads where.
struct Drawing {
    boxes: Vec<[String; 2]>,
    edges: Vec<(usize, usize)>,
}

impl Drawing {
    /// A box for each node; the trials of a search are one, and a choice is one.
    fn of(pipeline: &Pipeline) -> Self {
        let mut drawing = Self { boxes: Vec::new(), edges: Vec::new() };
        let shown = |node: &Node| match &node.work {
            Work::Learn(_) => !node.is_trial,
            Work::Eval(eval) => !eval.scores,
        };
        let mut places = HashMap::new();
        for (index, node) in pipeline.nodes.iter().enumerate().filter(|(_, node)| shown(node)) {
            places.insert(&*node.name, drawing.boxes.len());
            for parent in pipeline.dag.parents(index) {
                // Whatever a node learns from stands before it, or is seen when its turn comes.
                drawing.edges.push((*parent, index));
            }
            drawing.boxes.push(label(node));
        }
        let place_of = |index: usize| places.get(&*pipeline.nodes[index].name).copied();
        let edges = std::mem::take(&mut drawing.edges).into_iter();
        drawing.edges = edges.filter_map(|(a, b)| Some((place_of(a)?, place_of(b)?))).collect();
        let mut files: HashMap<&Path, usize> = HashMap::new();
        for node in pipeline.nodes.iter().filter(|node| shown(node)) {
            let Some(path) = node.teacher_file() else { continue };
            let own = *files.entry(path).or_insert_with(|| {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                drawing.boxes.push([name.into_owned(), "file".to_owned()]);
                drawing.boxes.len() - 1
            });
            drawing.edges.push((own, places[&*node.name]));
        }
        for search in &pipeline.searches {
            let trials: usize = search.methods.iter().map(|method| method.trials.len()).sum();
            let what = format!("search, {trials} trials so far, {}", search.sampler);
            let nodes = search.methods.iter().map(|method| &*method.node);
            let ends = search.methods.iter().map(|method| &*method.winner);
            drawing.decision([search.name.clone(), what], nodes, ends, &places);
        }
        for choose in &pipeline.choices {
            let what = format!("choose {}", choose.rule);
            let nodes = choose.candidates.iter().map(|node| &**node);
            drawing.decision([choose.name.clone(), what], nodes, choose.chosen.as_deref(), &places);
        }
        drawing
    }

    /// A box that stands between nodes.
    fn decision<'a>(
        &mut self,
        lines: [String; 2],
        from: impl IntoIterator<Item = &'a str>,
        to: impl IntoIterator<Item = &'a str>,
        places: &HashMap<&str, usize>,
    ) {
        let own = self.boxes.len();
        self.boxes.push(lines);
        self.edges.extend(from.into_iter().filter_map(|node| Some((*places.get(node)?, own))));
        // A chosen candidate is there already, and no arrow may lead back to it.
        let ends = to.into_iter().filter_map(|node| Some((own, *places.get(node)?)));
        let ends: Vec<_> = ends.filter(|&(own, end)| !self.edges.contains(&(end, own))).collect();
        self.edges.extend(ends);
    }
}

/// Node names hold neither quotes nor backslashes; nets may be named anything.
fn escape(text: &str, quote: &str) -> String {
    text.replace('\\', "\\\\").replace('"', quote).replace('\n', " ")
}

fn dot(drawing: &Drawing) -> String {
    let mut text = "digraph takd {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (index, lines) in drawing.boxes.iter().enumerate() {
        let [name, what] = lines.each_ref().map(|line| escape(line, "\\\""));
        text += &format!("  n{index} [label=\"{name}\\n{what}\"];\n");
    }
    for (from, to) in &drawing.edges {
        text += &format!("  n{from} -> n{to};\n");
    }
    text + "}\n"
}

fn mermaid(drawing: &Drawing) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, lines) in drawing.boxes.iter().enumerate() {
        let [name, what] = lines.each_ref().map(|line| escape(line, "#quot;"));
        text += &format!("  n{index}[\"{name}<br/>{what}\"]\n");
    }
    for (from, to) in &drawing.edges {
        text += &format!("  n{from} --> n{to}\n");
    }
    text
}
