//! Why steps run: in words, for people.

use super::{PlanError, Selection, Session, absent::absent_data};
use crate::{
    graph::Graph,
    kernels,
    key::{Key, Kind},
    plan::{Action, Plan, Reason, Step},
    store::{Depth, Lookup, Store, StoreError},
};

impl Session {
    /// For each step of these nodes, whether it is reused or runs, and which hashed fields differ from
    /// the nearest entry: a line or more per step.
    ///
    /// # Errors
    /// [`PlanError`] if a node is not there, or the cache cannot be read.
    pub fn why(&self, selection: &Selection) -> Result<String, PlanError> {
        let graph = self.graph();
        let (targets, forced) = self.targets(&graph, selection)?;
        let plan = self.survey()?.plan(&graph, &targets, &forced);
        let resumes = self.resumes(&plan)?;
        let asked = |tasks: &[usize]| tasks.iter().any(|task| targets.contains(task));
        let store = &self.store;
        let mut text = String::new();
        for step in plan.steps.iter().filter(|step| asked(&step.tasks)) {
            let (name, key) = (step.name(&graph), step.key.short());
            text += &match &step.action {
                Action::Run(_) | Action::Skip if !step.has_key(&graph) => {
                    format!("{name} runs: its data is not here, so that it has no key yet\n")
                }
                Action::Run(Reason::Changed { nearest, differences }) => {
                    let from = origin(store, nearest)?;
                    let mut text = format!("{name} runs: the cache has no entry {key}\n");
                    text += &format!("  nearest entry: {} ({from})\n", nearest.short());
                    for difference in differences {
                        let parent = parent(&graph, &plan, &difference.new);
                        let about = self.pipeline.kinds.about(&difference.field);
                        let about = about.map(|about| format!("  ({about})")).unwrap_or_default();
                        text += &format!("  {difference}{parent}{about}\n");
                    }
                    text
                }
                Action::Run(_) | Action::Skip => {
                    format!("{name} runs: the cache has no entry {key}, nor one like it\n")
                }
                Action::Reuse => {
                    format!("{name} is reused: entry {key} ({})\n", origin(store, &step.key)?)
                }
            };
            if let Some(epoch) = resumes.get(&step.key) {
                text += &format!("  resumes at epoch {epoch}, from a checkpoint\n");
            }
            text += &weights(&graph, step);
        }
        text.extend(absent_data(&graph).into_iter().map(|note| note + "\n"));
        Ok(text)
    }
}

/// How much a distillation's teacher counts against the labels.
fn weights(graph: &Graph<'_>, step: &Step) -> String {
    let learn = graph.learn(step.tasks[0]);
    let weight = learn.teacher().filter(|_| step.inputs.kind == Kind::Distill);
    let weight = weight.and_then(|teacher| teacher.objective.teacher_weight(learn.net.classes()));
    let weight = weight
        .map(|weight| format!("  the teacher's term weighs {weight:.2} times the cross entropy\n"));
    weight.unwrap_or_default()
}

/// Which node made an entry, for people.
fn origin(store: &Store, key: &Key) -> Result<String, StoreError> {
    Ok(match store.find(key, Depth::Manifest)? {
        Lookup::Whole(entry) => {
            let made = &entry.manifest.provenance;
            let mut text =
                format!("made as {} on {} by takd {}", made.node, made.device, made.takd);
            let here = kernels::cpu();
            if let Some(cpu) = made.cpu.as_ref().filter(|cpu| **cpu != here) {
                text += &format!("; its CPU ({cpu}) gives other last bits than this one ({here})");
            }
            text
        }
        Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => {
            "gone meanwhile".to_owned()
        }
    })
}

/// The name behind a changed parent's key.
fn parent(graph: &Graph<'_>, plan: &Plan, key: &str) -> String {
    let step = plan.steps.iter().find(|step| step.key.short() == key);
    step.map(|step| format!(" (now {})", step.name(graph))).unwrap_or_default()
}
