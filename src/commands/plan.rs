//! `takd plan`.

use super::{
    absent::{has_key, notes},
    exit::{self, Problem},
    open::{Absent, PipelineArgs},
    print, print_data, say,
    survey::Survey,
};
use crate::{
    graph::Graph,
    key::Key,
    node::read_checkpoint,
    plan::{Action, Plan, Reason, Step},
    store::{Depth, Kept, Store, StoreError},
};
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd plan pipelines/quickstart.toml --set distill.takd.objective.kd.lambda=0.7")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Only these nodes and what they need; globs
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let pipeline = args.pipeline.open_with(Absent::Planned)?;
    let graph = Graph::new(&pipeline);
    let targets = targets(&graph, &args.nodes)?;
    let survey = Survey::new(&graph, store, Depth::Manifest)?;
    tell_damaged(&survey);
    let plan = Plan::new(&graph, survey.keys, &survey.known, &targets, &[]);
    show(&graph, &plan, store, args.json)?;
    Ok(exit::OK)
}

/// The tasks of these NODEs; all of them if none is given.
pub(super) fn targets(graph: &Graph<'_>, nodes: &[String]) -> Result<Vec<usize>, Problem> {
    if nodes.is_empty() { Ok((0..graph.tasks.len()).collect()) } else { Ok(graph.select(nodes)?) }
}

pub(super) fn tell_damaged(survey: &Survey) {
    for (key, problem) in &survey.damaged {
        say(&format!(
            "note: the entry {} is damaged ({problem}) and counts as missing",
            key.short()
        ));
    }
}

/// The epochs, counted from 1, at which steps of a plan will resume: those that have a checkpoint. One
/// that is damaged, or another version's, counts as none, as it does in a run.
pub(super) fn resumes(plan: &Plan, store: &Store) -> Result<HashMap<Key, usize>, StoreError> {
    let mut found = HashMap::new();
    let there = store.checkpoint_keys()?;
    for step in plan.running().filter(|step| there.contains(&step.key)) {
        if let Kept::Whole(bytes) = store.read_checkpoint(&step.key)?
            && let Ok(checkpoint) = read_checkpoint(&bytes)
        {
            found.insert(step.key, checkpoint.state.history.len() + 1);
        }
    }
    Ok(found)
}

/// Prints a plan.
pub(super) fn show(
    graph: &Graph<'_>,
    plan: &Plan,
    store: &Store,
    json: bool,
) -> Result<(), Problem> {
    let resumes = resumes(plan, store)?;
    if json {
        let step = |step: &Step| {
            let mut value = step_json(graph, step);
            if let Some(&epoch) = resumes.get(&step.key) {
                value["resumes_at_epoch"] = epoch.into();
            }
            value
        };
        let steps: Vec<Value> = plan.steps.iter().map(step).collect();
        let text = serde_json::to_string_pretty(&json!({
            "pipeline": graph.pipeline.name,
            "steps": steps,
        }));
        return print_data(&(text.expect("plain data with string keys is always JSON") + "\n"));
    }
    print(&text(graph, plan, &resumes))
}

/// A step's tasks, action and key.
pub(super) fn step_json(graph: &Graph<'_>, step: &Step) -> Value {
    let mut value = serde_json::to_value(&step.action).expect("plain data is always JSON");
    value["key"] = if has_key(graph, step) { step.key.to_string().into() } else { Value::Null };
    value["kind"] = json!(step.inputs.kind);
    value["nodes"] = step.tasks.iter().map(|&task| graph.name(task)).collect();
    value
}

/// A step's name: those of its tasks.
pub(super) fn step_name(graph: &Graph<'_>, step: &Step) -> String {
    step.tasks.iter().map(|&task| graph.name(task)).collect::<Vec<_>>().join(" = ")
}

/// A reason in a line. A step that differs in nothing but its parents runs because they do.
fn why(plan: &Plan, reason: &Reason, step: &Step, names: &[String]) -> String {
    let Reason::Changed { differences, .. } = reason else { return reason.to_string() };
    let running: Vec<&str> = step
        .parents
        .iter()
        .filter(|&&parent| matches!(plan.steps[parent].action, Action::Run(_)))
        .map(|&parent| names[parent].as_str())
        .collect();
    if running.is_empty() || !differences.iter().all(|difference| difference.is_parent()) {
        return reason.to_string();
    }
    format!("after {}", running.join(", "))
}

fn text(graph: &Graph<'_>, plan: &Plan, resumes: &HashMap<Key, usize>) -> String {
    let names: Vec<String> = plan.steps.iter().map(|step| step_name(graph, step)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut counts = [0; 3];
    for (step, name) in plan.steps.iter().zip(&names) {
        let (word, place, why) = match &step.action {
            Action::Reuse => ("reuse", 0, String::new()),
            Action::Run(_) if !has_key(graph, step) => ("run", 1, String::new()),
            Action::Run(reason) => ("run", 1, why(plan, reason, step, &names)),
            Action::Skip => ("skip", 2, String::new()),
        };
        counts[place] += 1;
        let kind = step.inputs.kind;
        let resumes = resumes.get(&step.key).map(|epoch| format!("; resumes at epoch {epoch}"));
        let key = if has_key(graph, step) { step.key.short() } else { NO_KEY.to_owned() };
        let resumes = resumes.unwrap_or_default();
        let line = format!("{word:<6} {kind:<8} {name:<width$}  {key}  {why}{resumes}");
        text += line.trim_end();
        text.push('\n');
    }
    let [reuse, run, skip] = counts;
    text += &format!("{run} to run, {reuse} to reuse");
    if skip > 0 {
        text += &format!(", {skip} not asked for");
    }
    let (distillations, apart) = plan.distillations();
    if distillations < apart {
        text +=
            &format!("\n{distillations} distillations; the same chains apart would take {apart}");
    }
    text.push('\n');
    text.extend(notes(graph).into_iter().map(|note| note + "\n"));
    text
}

/// Stands for the key of what has none yet.
const NO_KEY: &str = "–           ";
