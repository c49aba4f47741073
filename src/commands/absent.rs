//! Data sets that are planned with, and are not here.

use crate::{
    config::{Data, Presence},
    data::{DataError, how_to_get},
    graph::Graph,
    plan::{Plan, Step},
    spec::{How, Learn, Work},
};
use std::collections::BTreeSet;

/// The training that a step is, or measures.
fn learn<'a>(graph: &'a Graph<'_>, step: &Step) -> &'a Learn {
    match &graph.pipeline.nodes[graph.tasks[step.tasks[0]].node].work {
        Work::Learn(learn) => learn,
        Work::Eval(eval) => graph.pipeline.learn(eval.of),
    }
}

/// Whether a step has a key: what data decides that is not here, and of which no digest is known, has
/// none.
pub(super) fn has_key(graph: &Graph<'_>, step: &Step) -> bool {
    let work = &graph.pipeline.nodes[graph.tasks[step.tasks[0]].node].work;
    let imported = matches!(work, Work::Learn(learn) if matches!(learn.how, How::Import(_)));
    imported || learn(graph, step).data.info.presence != Presence::Unknown
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
        let data = &learn(graph, step).data;
        if data.info.presence != Presence::Here {
            crate::data::probe(&data.format)?;
        }
    }
    Ok(())
}
