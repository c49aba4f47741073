//! Data sets that are planned with, and are not here.

use crate::{
    config::{Data, Presence},
    data::{DataError, how_to_get, probe},
    graph::Graph,
    key::Kind,
    plan::{Plan, Step},
    spec::Work,
};
use std::collections::BTreeSet;

/// Whether a step has a key: what data decides that is not here, and of which no digest is known, has
/// none.
pub(super) fn has_key(graph: &Graph<'_>, step: &Step) -> bool {
    step.inputs.kind == Kind::Import
        || graph.learn(step.tasks[0]).data.info.presence != Presence::Unknown
}

/// A sentence for each data set that is not here.
pub(super) fn notes(graph: &Graph<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut notes = Vec::new();
    for node in &graph.pipeline.nodes {
        let Work::Learn(learn) = &node.work else { continue };
        let Data { info, format, .. } = &*learn.data;
        if info.presence == Presence::Here || !seen.insert(&learn.data_name) {
            continue;
        }
        let (name, how) = (&learn.data_name, how_to_get(format));
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
            probe(&data.format)?;
        }
    }
    Ok(())
}
