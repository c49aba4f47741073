//! `takd run`.

use super::{
    exit::{self, Problem},
    open::PipelineArgs,
    plan::{show, step_json, step_name, targets},
    print,
    progress::progress,
    say,
    survey::Survey,
};
use crate::{
    execute::{Fate, Limits, Made, execute},
    graph::Graph,
    key::{Key, KeyInputs, Kind},
    node::{Choice, Datasets, NodeRunner, Selected},
    plan::{Action, Plan, Step},
    report::{Format, Report},
    store::{Depth, Store},
};
use serde_json::{Value, json};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::available_parallelism,
    time::Instant,
};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Only these nodes and what they need; globs
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// Show what would run, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Nodes that run side by side [default: one a core on the CPU, one on a GPU]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// auto, cpu, cuda[:N] or wgpu[:N]; auto takes CUDA, then another GPU, then the CPU
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: Choice,
    /// When a node fails, go on with those that do not depend on it
    #[arg(long)]
    keep_going: bool,
    /// Run these nodes although the cache holds them; globs; may be repeated
    #[arg(long, value_name = "NODE")]
    force: Vec<String>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let started = Instant::now();
    let pipeline = args.pipeline.open()?;
    let graph = Graph::new(&pipeline);
    let mut targets = targets(&graph, &args.nodes)?;
    let forced = graph.select(&args.force)?;
    targets.extend(&forced);
    if args.dry_run {
        let survey = Survey::new(&graph, store, Depth::Manifest)?;
        let plan = Plan::new(&graph, survey.keys, &survey.known, &targets, &forced);
        show(&graph, &plan, args.json)?;
        return Ok(exit::OK);
    }
    // A cache that cannot be written is still good for reading, as long as nothing has to run.
    let entered = store.enter();
    let survey = Survey::new(&graph, store, Depth::Content)?;
    let keys = survey.keys.clone();
    let plan = Plan::new(&graph, survey.keys, &survey.known, &targets, &forced);
    let stop = Arc::new(AtomicBool::new(false));
    let fates = if plan.running().next().is_some() {
        let _entered = entered?;
        stop_on_interrupt(&stop);
        walk(args, &graph, &plan, store, &stop)?
    } else {
        let at_rest =
            |step: &Step| if step.action == Action::Skip { Fate::Skipped } else { Fate::Reused };
        plan.steps.iter().map(at_rest).collect()
    };
    let outcome =
        Outcome { graph: &graph, plan: &plan, fates, seconds: started.elapsed().as_secs_f64() };
    outcome.print(&keys, store, args.json)?;
    if stop.load(Ordering::Relaxed) {
        say("stopped; what was finished is kept, and the same command goes on from there");
        return Ok(exit::INTERRUPTED);
    }
    Ok(if outcome.count(|fate| matches!(fate, Fate::Failed(_))) > 0 {
        exit::FAILED
    } else {
        exit::OK
    })
}

fn walk(
    args: &Args,
    graph: &Graph<'_>,
    plan: &Plan,
    store: &Store,
    stop: &AtomicBool,
) -> Result<Vec<Fate>, Problem> {
    let device = args.device.select()?;
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.jobs.map_or_else(|| default_jobs(&device, cores), NonZeroUsize::get);
    let limits = Limits { jobs, threads: cores, keep_going: args.keep_going };
    let named = |step: &Step| format!("{} {}", step.inputs.kind, step_name(graph, step));
    let observer = progress(plan.steps.iter().map(named).collect(), plan.running().count());
    let datasets = Datasets::default();
    let runner = NodeRunner { store, graph, device, observer: &*observer, stop, datasets };
    Ok(execute(plan, &runner, &*observer, limits, stop))
}

/// On a CPU, whole nodes side by side use the cores better than one node's small kernels do; a
/// GPU's memory is only sure to hold one node.
fn default_jobs(device: &Selected, cores: usize) -> usize {
    if device.is_cpu { cores } else { 1 }
}

/// The first Ctrl-C asks the nodes to stop, the second ends the process.
fn stop_on_interrupt(stop: &Arc<AtomicBool>) {
    let stop = stop.clone();
    let handler = move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
        say("stopping…");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        say(&format!("note: Ctrl-C will not stop cleanly: {error}"));
    }
}

/// What a run has done.
struct Outcome<'a> {
    graph: &'a Graph<'a>,
    plan: &'a Plan,
    fates: Vec<Fate>,
    seconds: f64,
}

impl Outcome<'_> {
    fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.fates.iter().filter(|fate| wanted(fate)).count()
    }

    /// Steps that this process made, trainings or measurements.
    fn made(&self, measured: bool) -> usize {
        let steps = self.plan.steps.iter().zip(&self.fates);
        let made = |fate: &Fate| matches!(fate, Fate::Made(Made::Here(_)));
        steps
            .filter(|(step, fate)| made(fate) && (step.inputs.kind == Kind::Eval) == measured)
            .count()
    }

    fn print(&self, keys: &[(KeyInputs, Key)], store: &Store, json: bool) -> Result<(), Problem> {
        let report = Report::gather(self.graph, keys, store)?;
        let (trained, measured) = (self.made(false), self.made(true));
        let reused = self.count(|fate| matches!(fate, Fate::Reused));
        if json {
            let steps = self.plan.steps.iter().zip(&self.fates);
            let steps: Vec<Value> = steps.map(|(step, fate)| self.step_json(step, fate)).collect();
            let text = serde_json::to_string_pretty(&json!({
                "pipeline": report.pipeline,
                "trained": trained,
                "measured": measured,
                "reused": reused,
                "seconds": self.seconds,
                "steps": steps,
                "tables": report.tables,
            }));
            return print(&(text.expect("plain data with string keys is always JSON") + "\n"));
        }
        print(&report.render(Format::Text))?;
        let seconds = self.seconds;
        let mut line = format!("trained {trained}, measured {measured}, reused {reused}");
        let failed = self.count(|fate| matches!(fate, Fate::Failed(_)));
        let left = self.count(|fate| matches!(fate, Fate::Blocked(_) | Fate::NotStarted));
        for (count, word) in [(failed, "failed"), (left, "not run")] {
            if count > 0 {
                line += &format!(", {word} {count}");
            }
        }
        say(&format!("{line}, in {seconds:.2} s"));
        Ok(())
    }

    fn step_json(&self, step: &Step, fate: &Fate) -> Value {
        let mut value = step_json(self.graph, step);
        let (word, detail) = match fate {
            Fate::Reused => ("reused", Value::Null),
            Fate::Skipped => ("skipped", Value::Null),
            Fate::Made(Made::Here(seconds)) => ("made", json!({ "seconds": seconds })),
            Fate::Made(Made::Elsewhere) => ("made-elsewhere", Value::Null),
            Fate::Failed(problem) => ("failed", json!({ "error": problem })),
            Fate::Blocked(root) => {
                ("blocked", json!({ "by": step_name(self.graph, &self.plan.steps[*root]) }))
            }
            Fate::NotStarted => ("not-started", Value::Null),
        };
        value["fate"] = word.into();
        if let (Value::Object(all), Value::Object(more)) = (&mut value, detail) {
            all.extend(more);
        }
        value
    }
}
