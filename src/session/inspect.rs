//! What is done with data sets before the first node of a run: what a user should know of them is
//! said, and every image in a file is decoded once, so that a damaged one costs no training.

use super::{absent::refuse, watcher::Watcher};
use crate::{dataset::DataError, graph::Graph, node::Datasets, pipeline::Learn, plan::Plan};
use std::collections::BTreeSet;

/// Looks through the data sets of the steps that are to run.
///
/// # Errors
/// [`DataError`] names the images that cannot be read or decoded.
pub(super) fn inspect(
    graph: &Graph<'_>,
    plan: &Plan,
    datasets: &Datasets,
    watcher: &dyn Watcher,
) -> Result<(), DataError> {
    refuse(graph, plan)?;
    let mut seen = BTreeSet::new();
    for step in plan.running() {
        let Learn { data, data_name, .. } = graph.learn(step.tasks[0]);
        if !seen.insert(&data.format) {
            continue;
        }
        for note in &data.info.notes {
            watcher.note(&format!("note: {data_name}: {note}"));
        }
        if data.format.in_files() {
            let dataset = datasets.load(&data.format)?;
            let new = dataset.undecoded();
            if new > 0 {
                let advance = watcher.decoding(data_name, new);
                dataset.decode_new(&*advance)?;
            }
        }
    }
    Ok(())
}
