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
    ArgValueCompleter::new(candidates)
}

fn candidates(begun: &OsStr) -> Vec<CompletionCandidate> {
    let files = env::args_os().map(PathBuf::from);
    let mut files = files.filter(|file| file.extension().is_some_and(|ending| ending == "toml"));
    // Whoever presses Tab is told no errors.
    let pipeline = files.find_map(|file| {
        let opening = Opening::new(&file).absent(Absent::Planned);
        let data = env::var_os("TAKD_DATA");
        data.iter().fold(opening, |opening, data| opening.data(Path::new(data))).pipeline().ok()
    });
    let (Some(pipeline), Some(begun)) = (pipeline, begun.to_str()) else { return Vec::new() };
    let fitting =
        pipeline.nodes.iter().filter(|node| !node.is_trial && node.name.starts_with(begun));
    let candidate = |node: &Node| {
        let what = match &node.work {
            Work::Learn(learn) => format!("{} {}", node.kind(), learn.net_name),
            Work::Eval(eval) => format!("{} on the {} split", node.kind(), eval.split.name()),
        };
        CompletionCandidate::new(&node.name).help(Some(what.into()))
    };
    fitting.map(candidate).collect()
}
