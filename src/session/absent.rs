//! Data sets that a plan names and that are not here.

use crate::{
    dataset::{Data, DataError, Presence},
    graph::Graph,
    pipeline::Work,
    plan::Plan,
};
use std::collections::BTreeSet;

/// A sentence for each data set of the pipeline that is not here.
pub fn absent_data(graph: &Graph<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut notes = Vec::new();
    for node in &graph.pipeline.nodes {
        let Work::Learn(learn) = &node.work else { continue };
        let Data { info, format, .. } = &*learn.data;
        if info.presence == Presence::Here || !seen.insert(&learn.data_name) {
            continue;
        }
        let (name, how) = (&learn.data_name, format.how_to_get());
        notes.push(match info.presence {
            Presence::Assumed => {
                format!("{name}: not fetched; keys assume the official files ({how})")
            }
            _ => format!(
                "{name}: not fetched; planned without keys, as if nothing were cached ({how})"
            ),
        });
    }
    notes
}

/// The error of a run that needs data which is not here.
pub(super) fn refuse(graph: &Graph<'_>, plan: &Plan) -> Result<(), DataError> {
    for step in plan.running() {
        let data = &graph.learn(step.tasks[0]).data;
        if data.info.presence != Presence::Here {
            data.format.probe()?;
        }
    }
    Ok(())
}
