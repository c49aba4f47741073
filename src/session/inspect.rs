//! What is done with data sets before the first node of a run: what a user should know of them is
//! said, and every image in a file is decoded once, so that a damaged one costs no training.

use super::{absent::refuse, rounds::Shared, watcher::Watcher};
use crate::{dataset::DataError, graph::Graph, pipeline::Learn, plan::Plan};

/// Looks through the data sets of the steps that are to run, each once in all rounds.
///
/// # Errors
/// [`DataError`] names the images that cannot be read or decoded.
pub(super) fn inspect(
    graph: &Graph<'_>,
    plan: &Plan,
    shared: &mut Shared,
    watcher: &dyn Watcher,
) -> Result<(), DataError> {
    refuse(graph, plan)?;
    for step in plan.running() {
        let Learn { data, data_name, .. } = graph.learn(step.tasks[0]);
        if !shared.inspected.insert(data.format.clone()) {
            continue;
        }
        for note in &data.info.notes {
            watcher.note(&format!("note: {data_name}: {note}"));
        }
        if data.format.in_files() {
            let dataset = shared.datasets.load(&data.format)?;
            let new = dataset.undecoded();
            if new > 0 {
                let advance = watcher.decoding(data_name, new);
                dataset.decode_new(&*advance)?;
            }
        }
    }
    Ok(())
}
