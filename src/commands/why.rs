//! `takd why`.

use super::{
    absent::{has_key, notes},
    exit::{self, Problem},
    open::{Absent, PipelineArgs},
    plan::{resumes, step_name, tell_damaged},
    print,
    survey::Survey,
};
use crate::{
    config::Objective,
    graph::Graph,
    key::Key,
    ops,
    plan::{Action, Plan, Reason, Step},
    store::{Depth, Lookup, Store},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd why pipelines/quickstart.toml takd --set recipe.short.epochs=9")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with or without its seed (student, student@31); globs
    #[arg(value_name = "NODE", required = true)]
    nodes: Vec<String>,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let pipeline = args.pipeline.open_with(Absent::Planned)?;
    let graph = Graph::new(&pipeline);
    let targets = graph.select(&args.nodes)?;
    let survey = Survey::new(&graph, store, Depth::Manifest)?;
    tell_damaged(&survey);
    let plan = Plan::new(&graph, survey.keys, &survey.known, &targets, &[]);
    let resumes = resumes(&plan, store)?;
    let asked = |tasks: &[usize]| tasks.iter().any(|task| targets.contains(task));
    let mut text = String::new();
    for step in plan.steps.iter().filter(|step| asked(&step.tasks)) {
        let (name, key) = (step_name(&graph, step), step.key.short());
        text += &match &step.action {
            Action::Run(_) | Action::Skip if !has_key(&graph, step) => {
                format!("{name} runs: its data is not here, so that it has no key yet\n")
            }
            Action::Run(Reason::Changed { nearest, differences }) => {
                let from = origin(store, nearest)?;
                let mut text = format!("{name} runs: the cache has no entry {key}\n");
                text += &format!("  nearest entry: {} ({from})\n", nearest.short());
                for difference in differences {
                    text += &format!("  {difference}{}\n", parent(&graph, &plan, &difference.new));
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
        text += &weights(step);
    }
    text.extend(notes(&graph).into_iter().map(|note| note + "\n"));
    print(&text)?;
    Ok(exit::OK)
}

/// How much a distillation's teacher counts against the labels.
fn weights(step: &Step) -> String {
    let (Some(Objective::Kd(kd)), Some(net)) = (step.inputs.objective, &step.inputs.net) else {
        return String::new();
    };
    let ratio = kd.weight_ratio(net.classes());
    format!("  the KL divergence weighs {ratio:.2} times the cross entropy\n")
}

/// Which node made an entry, for people.
fn origin(store: &Store, key: &Key) -> Result<String, Problem> {
    Ok(match store.find(key, Depth::Manifest)? {
        Lookup::Whole(entry) => {
            let made = &entry.manifest.provenance;
            let mut text =
                format!("made as {} on {} by takd {}", made.node, made.device, made.takd);
            let here = ops::cpu();
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
    step.map(|step| format!(" (now {})", step_name(graph, step))).unwrap_or_default()
}
