//! `takd status`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        print, print_json, say, short,
    },
    key::Key,
    plan::{Action, Step},
    report::plural,
    session::Selection,
    slurm::{self, Job, JobState},
    store::{Maker, Progress, Store, now},
};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

#[derive(clap::Args)]
#[command(after_help = "Example, from a second terminal:
  takd status pipelines/quickstart.toml")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A step that somebody makes, or has begun to make.
struct Begun<'a> {
    step: &'a Step,
    name: String,
    progress: Progress,
    maker: Maker,
}

/// A step that waits in a cluster's queue, or whose job has only just begun.
struct Queued<'a> {
    step: &'a Step,
    name: String,
    job: Job,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let session = args.pipeline.session(store)?;
    let graph = session.graph();
    let plan = session.plan(&Selection::default())?;
    let known: HashMap<Key, &Step> = plan.steps.iter().map(|step| (step.key, step)).collect();
    let (mut begun, mut others) = (Vec::new(), 0);
    for key in store.in_progress()? {
        // A forced step runs although its entry is there; one that has just ended says nothing more.
        let Some((progress, maker)) = store.progress(&key)? else { continue };
        let Some(&step) = known.get(&key) else {
            others += usize::from(maker == Maker::Running);
            continue;
        };
        if maker == Maker::Running || step.action != Action::Reuse {
            begun.push(Begun { step, name: step.name(&graph), progress, maker });
        }
    }
    begun.sort_by_key(|begun| (begun.maker != Maker::Running, begun.progress.maker.since));
    let done = plan.steps.iter().filter(|step| step.action == Action::Reuse).count();
    let running = begun.iter().filter(|begun| begun.maker == Maker::Running).count();
    let made: HashSet<Key> =
        begun.iter().filter(|b| b.maker == Maker::Running).map(|b| b.step.key).collect();
    let waits = |step: &&Step| step.action != Action::Reuse && !made.contains(&step.key);
    // What is running and done can be told without Slurm.
    let queue = slurm::queue(store).unwrap_or_else(|error| {
        say(&format!(
            "note: nodes were submitted to Slurm, and what has become of them is not known: {error}"
        ));
        None
    });
    let waiting = plan.steps.iter().filter(waits).filter_map(|step| {
        let job = queue.as_ref().and_then(|queue| queue.live(&step.key))?.clone();
        Some(Queued { step, name: step.name(&graph), job })
    });
    let queued: Vec<Queued<'_>> = waiting.collect();
    // A job of it goes on with what was stopped.
    let is_queued = |key: Key| queued.iter().any(|queued| queued.step.key == key);
    begun.retain(|begun| begun.maker == Maker::Running || !is_queued(begun.step.key));
    let to_go = plan.steps.len().saturating_sub(done + running);
    if args.json {
        let value = json!({
            "pipeline": graph.pipeline.name,
            "done": done,
            "running": running,
            "to_go": to_go,
            "queued": queued.iter().map(queued_object).collect::<Vec<_>>(),
            "others": others,
            "nodes": begun.iter().map(object).collect::<Vec<_>>(),
        });
        print_json(&value)?;
        return Ok(exit::OK);
    }
    let lines: Vec<String> = begun.iter().map(line).chain(queued.iter().map(queued_line)).collect();
    let count = plan.steps.len();
    let in_queue = match queued.len() {
        0 => String::new(),
        jobs => format!(", {jobs} of them in Slurm's queue"),
    };
    let name = &graph.pipeline.name;
    print(&format!(
        "{}{name}: {done} of {count} node{} done, {running} running, {to_go} to go{in_queue}\n",
        lines.concat(),
        plural(count),
    ))?;
    if others > 0 {
        say(&format!(
            "note: {others} node{} of other files, or of this one with other --set or --preset, run{} in \
             this cache",
            plural(others),
            if others == 1 { "s" } else { "" }
        ));
    }
    Ok(exit::OK)
}

fn object(begun: &Begun<'_>) -> Value {
    json!({
        "node": begun.name,
        "kind": begun.step.inputs.kind,
        "key": begun.step.key.to_string(),
        "running": begun.maker == Maker::Running,
        "host": begun.progress.maker.host,
        "pid": begun.progress.maker.pid,
        "since": begun.progress.maker.since,
        "updated": begun.progress.updated,
        "reached": begun.progress.reached,
        "failure": begun.progress.failure,
    })
}

fn queued_object(queued: &Queued<'_>) -> Value {
    json!({
        "node": queued.name,
        "kind": queued.step.inputs.kind,
        "key": queued.step.key.to_string(),
        "job": queued.job.id,
        "starts": queued.job.state == JobState::Running,
        "reason": queued.job.reason,
    })
}

fn queued_line(queued: &Queued<'_>) -> String {
    let Queued { step, name, job: Job { id, state, reason } } = queued;
    let kind = step.inputs.kind;
    match state {
        JobState::Running => format!("starts  {kind} {name}; job {id}\n"),
        JobState::Pending | JobState::Ended(_) => {
            format!("queued  {kind} {name}; job {id}: {reason}\n")
        }
    }
}

fn line(begun: &Begun<'_>) -> String {
    let Begun { step, name, progress, maker } = begun;
    let Progress { maker: who, updated, reached, failure, failed: _, diverged: _, node: _ } =
        progress;
    let (kind, process) = (step.inputs.kind, format!("process {} on {}", who.pid, who.host));
    let ago = |since: u64| short(now().saturating_sub(since) as f64);
    let reached = reached.as_ref().map(|at| format!(", {at}")).unwrap_or_default();
    let failure = failure.as_deref().unwrap_or_default();
    match maker {
        Maker::Running => {
            format!("running {kind} {name}{reached}; for {} in {process}\n", ago(who.since))
        }
        Maker::Stopped => {
            let ago = ago(*updated);
            format!(
                "stopped {kind} {name}{reached}; {ago} ago in {process}: `takd run` resumes it\n"
            )
        }
        Maker::Failed => {
            let ago = ago(*updated);
            format!("failed {kind} {name}{reached}; {ago} ago in {process}: {failure}\n")
        }
    }
}
