//! Names of nodes, for a shell that completes them.

use crate::{
    pipeline::{Node, Work},
    session::{Absent, Opening},
};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Completes a NODE: with those of the pipeline that stands on the command line before it.
pub(crate) fn nodes() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| candidates(begun, plain))
}

/// Completes a NODE whose network is wanted: with one of its seeds where it has several.
pub(crate) fn networks() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| candidates(begun, seeded))
}

fn plain(node: &Node) -> Vec<String> {
    vec![node.name.clone()]
}

fn seeded(node: &Node) -> Vec<String> {
    match (&node.work, &node.seeds[..]) {
        (Work::Eval(_), _) => Vec::new(),
        (Work::Learn(_), [_]) => plain(node),
        (Work::Learn(_), seeds) => {
            seeds.iter().map(|seed| format!("{}@{seed}", node.name)).collect()
        }
    }
}

fn candidates(begun: &OsStr, names: fn(&Node) -> Vec<String>) -> Vec<CompletionCandidate> {
    let files = env::args_os().map(PathBuf::from);
    let mut files = files.filter(|file| file.extension().is_some_and(|ending| ending == "toml"));
    // Whoever presses Tab is told no errors.
    let pipeline = files.find_map(|file| {
        let opening = Opening::new(&file).absent(Absent::Planned);
        let data = env::var_os("TAKD_DATA");
        data.iter().fold(opening, |opening, data| opening.data(Path::new(data))).pipeline().ok()
    });
    let (Some(pipeline), Some(begun)) = (pipeline, begun.to_str()) else { return Vec::new() };
    let nodes = pipeline.nodes.iter().filter(|node| !node.is_trial);
    let candidate = |node: &Node| {
        let what = match &node.work {
            Work::Learn(learn) => format!("{} {}", node.kind(), learn.net_name),
            Work::Eval(eval) => format!("{} on the {} split", node.kind(), eval.split.name()),
        };
        let fitting = names(node).into_iter().filter(|name| name.starts_with(begun));
        let help = |name| CompletionCandidate::new(name).help(Some(what.clone().into()));
        fitting.map(help).collect::<Vec<_>>()
    };
    nodes.flat_map(candidate).collect()
}
