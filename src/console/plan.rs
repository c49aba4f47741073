//! A plan as text and as JSON.

use super::{
    exit::Problem,
    long,
    say::say,
    stdout::{print, print_json},
};
use crate::{
    graph::Graph,
    key::Key,
    pipeline::Work,
    plan::{Action, Plan, Reason, Step},
    session::{Expected, Forecast, Session, Survey, absent_data},
};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::collections::HashMap;

pub(crate) fn tell_damaged(survey: &Survey) {
    for (key, problem) in &survey.damaged {
        say(&format!(
            "note: the entry {} is damaged ({problem}) and counts as missing",
            key.short()
        ));
    }
}

/// Prints a plan.
pub(crate) fn show(
    session: &Session,
    survey: &Survey,
    plan: &Plan,
    json: bool,
) -> Result<(), Problem> {
    let graph = &session.graph();
    let forecasts = session.forecasts(survey);
    let resumes = session.resumes(plan)?;
    let expected = session.expected(survey, plan);
    if json {
        let step = |step: &Step| {
            let mut value = step_json(graph, step);
            if let Some(&epoch) = resumes.get(&step.key) {
                value["resumes_at_epoch"] = epoch.into();
            }
            if let Some(&seconds) =
                expected.seconds.get(&step.key).filter(|&&seconds| seconds > 0.0)
            {
                value["seconds"] = seconds.into();
            }
            if let Some(bytes) = gpu_memory(graph, step) {
                value["gpu_memory_bytes"] = u64::try_from(bytes).unwrap_or(u64::MAX).into();
            }
            value
        };
        let steps: Vec<Value> = plan.steps.iter().map(step).collect();
        let mut plan = json!({ "pipeline": graph.pipeline.name, "steps": steps });
        if !forecasts.is_empty() {
            plan["forecasts"] = forecasts.iter().map(forecast_json).collect();
        }
        return print_json(&plan);
    }
    let forecasts = forecasts.iter().map(|forecast| told(forecast) + "\n");
    print(&(text(graph, plan, &resumes, &expected) + &forecasts.collect::<String>()))
}

fn forecast_json(forecast: &Forecast) -> Value {
    let Forecast { name, trainings, epochs, decided, over, seconds } = forecast;
    json!({
        "name": name, "trainings": trainings, "epochs": epochs, "decided": decided, "over": over,
        "seconds": seconds,
    })
}

/// What a search or a choice costs at most, in a line.
fn told(forecast: &Forecast) -> String {
    let Forecast { name, trainings, epochs, decided, over, seconds } = forecast;
    let mut text = format!("{name}: at most {trainings} trainings ({epochs} epochs)");
    text += &format!("; {decided} decided so far, {over} of them in the cache");
    if let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) {
        text += &format!("; the rest takes at most {} here, one at a time", long(seconds));
    }
    text
}

/// A step's tasks, action and key.
pub(crate) fn step_json(graph: &Graph<'_>, step: &Step) -> Value {
    let mut value = serde_json::to_value(&step.action).expect("plain data is always JSON");
    value["key"] = if step.has_key(graph) { step.key.to_string().into() } else { Value::Null };
    value["kind"] = json!(step.inputs.kind);
    value["nodes"] = step.tasks.iter().map(|&task| graph.name(task)).collect();
    value
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

fn text(
    graph: &Graph<'_>,
    plan: &Plan,
    resumes: &HashMap<Key, usize>,
    expected: &Expected,
) -> String {
    let names: Vec<String> = plan.steps.iter().map(|step| step.name(graph)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut counts = [0; 3];
    for (step, name) in plan.steps.iter().zip(&names) {
        let (word, index, why) = match &step.action {
            Action::Reuse => ("reuse", 0, String::new()),
            Action::Run(_) if !step.has_key(graph) => ("run", 1, String::new()),
            Action::Run(reason) => ("run", 1, why(plan, reason, step, &names)),
            Action::Skip => ("skip", 2, String::new()),
        };
        counts[index] += 1;
        let kind = step.inputs.kind;
        let resumes = resumes.get(&step.key).map(|epoch| format!("; resumes at epoch {epoch}"));
        let key = if step.has_key(graph) { step.key.short() } else { NO_KEY.to_owned() };
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
    text += &features(graph, plan);
    text += &duration(expected);
    text += &most_gpu_memory(graph, plan, &names);
    text.push('\n');
    text.extend(graph.pipeline.doubts().into_iter().map(|doubt| format!("warning: {doubt}\n")));
    text.extend(absent_data(graph).into_iter().map(|note| note + "\n"));
    text
}

/// Seconds below which a plan says nothing of how long it takes.
const SHORT: f64 = 60.0;

/// How long all that runs takes, if anything is known of it.
fn duration(expected: &Expected) -> String {
    let Some(seconds) = expected.total().filter(|&seconds| seconds >= SHORT) else {
        return String::new();
    };
    let more = match expected.unknown {
        0 => String::new(),
        1 => ", and a training like none before".to_owned(),
        unknown => format!(", and {unknown} trainings like none before"),
    };
    format!("\nby what like nodes took here it takes about {}, one at a time{more}", long(seconds))
}

/// Bytes that a step which will run takes of a GPU, by estimate.
fn gpu_memory(graph: &Graph<'_>, step: &Step) -> Option<u128> {
    let runs = matches!(step.action, Action::Run(_)) && !step.is_left_behind();
    let bytes = || graph.pipeline.gpu_memory(graph.tasks[step.tasks[0]].node).bytes();
    runs.then(bytes).filter(|&bytes| bytes > 0)
}

/// What the step that takes most of a GPU takes.
fn most_gpu_memory(graph: &Graph<'_>, plan: &Plan, names: &[String]) -> String {
    let each = plan.steps.iter().zip(names);
    let each = each.filter_map(|(step, name)| Some((gpu_memory(graph, step)?, name)));
    let Some((bytes, name)) = each.rev().max_by_key(|(bytes, _)| *bytes) else {
        return String::new();
    };
    let size = HumanBytes(u64::try_from(bytes).unwrap_or(u64::MAX));
    format!("\n{name} takes most of a GPU's memory, about {size}")
}

/// Where students that will be trained take their teacher's features from.
fn features(graph: &Graph<'_>, plan: &Plan) -> String {
    let running = plan.running().filter(|step| !step.is_left_behind());
    let works = running.map(|step| &graph.pipeline.nodes[graph.tasks[step.tasks[0]].node].work);
    let found = works.filter_map(|work| match work {
        Work::Learn(learn) => learn.features(),
        Work::Eval(_) => None,
    });
    let found: Vec<(u128, bool)> = found.collect();
    let of =
        |kept: bool| found.iter().filter(move |(_, keeps)| *keeps == kept).map(|(bytes, _)| *bytes);
    let line = |kept: bool, one: &str, many: &str, why: &str| {
        let (count, most) = (of(kept).count(), of(kept).max().unwrap_or(0));
        let words = if count == 1 { one } else { many };
        let size = HumanBytes(u64::try_from(most).unwrap_or(u64::MAX));
        if count == 0 { String::new() } else { format!("\n{count} {words}{why} ({size} each)") }
    };
    line(
        true,
        "student keeps its teacher's features in memory",
        "students keep their teacher's features in memory",
        "",
    ) + &line(
        false,
        "student asks its teacher at each step for features",
        "students ask their teachers at each step for features",
        " that are too many to keep, or of images that change",
    )
}

/// Stands for the key of what has none yet.
const NO_KEY: &str = "–           ";
