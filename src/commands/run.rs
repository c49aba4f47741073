//! `takd run`.

use super::{
    exit::{self, Problem},
    inspect::inspect,
    open::{Absent, PipelineArgs},
    plan::{show, step_json, step_name, targets},
    print, print_data,
    progress::{LogArgs, fate_json, long, tell},
    say,
    signals::{Signals, command_line},
    survey::{Spent, Survey},
};
use crate::{
    execute::{Costs, Fate, Limits, Made, Profile, execute},
    graph::Graph,
    key::{Key, KeyInputs, Kind},
    node::{Choice, Datasets, NodeRunner, Selected},
    plan::{Action, Plan, Step},
    report::{Entries, Format, Report},
    store::{Depth, Store, host},
};
use serde_json::{Value, json};
use std::{
    num::NonZeroUsize,
    sync::Mutex,
    thread::available_parallelism,
    time::{Duration, Instant},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd run pipelines/quickstart.toml 'a*' --jobs 2")]
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
    /// On the CPU, use burn's own operations and not takd's faster ones
    #[arg(long)]
    plain_ops: bool,
    /// When a node fails, go on with those that do not depend on it
    #[arg(long)]
    keep_going: bool,
    /// Run these nodes although the cache holds them; globs; may be repeated
    #[arg(long, value_name = "NODE")]
    force: Vec<String>,
    /// Seconds between checkpoints inside an epoch; epochs' ends have their own
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    checkpoint_every: u64,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub log: LogArgs,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let started = Instant::now();
    let signals = Signals::listen(args.log);
    args.log.never_wait();
    let absent = if args.dry_run { Absent::Planned } else { Absent::Refused };
    let pipeline = args.pipeline.open_with(absent)?;
    let graph = Graph::new(&pipeline);
    let mut targets = targets(&graph, &args.nodes)?;
    let forced = graph.select(&args.force)?;
    targets.extend(&forced);
    if args.dry_run {
        let survey = Survey::new(&graph, store, Depth::Manifest)?;
        let plan = Plan::new(&graph, survey.keys, &survey.known, &targets, &forced);
        show(&graph, &plan, store, args.json)?;
        return Ok(exit::OK);
    }
    // A cache that cannot be written is still good for reading, as long as nothing has to run.
    let (_entered, refusal) = store.enter();
    let survey = Survey::new(&graph, store, Depth::Content)?;
    let (keys, seconds, past) = (survey.keys.clone(), survey.seconds, survey.past);
    let plan = Plan::new(&graph, survey.keys, &survey.known, &targets, &forced);
    tell_plan(args.log, &graph, &plan);
    let missing = plan.running().count();
    let fates = match (missing, refusal) {
        (1.., Some(error)) => return Err(Problem::ReadOnly { error, missing }),
        (1.., None) => walk(args, &graph, &plan, &past, store, &signals)?,
        (0, refusal) => {
            if let Some(refusal) = refusal {
                args.log.note(&format!("note: the cache can only be read: {refusal}"));
            }
            let at_rest = |step: &Step| {
                if step.action == Action::Skip { Fate::Skipped } else { Fate::Reused }
            };
            plan.steps.iter().map(at_rest).collect()
        }
    };
    let reused = plan.steps.iter().filter(|step| step.action == Action::Reuse);
    let saved = reused.filter_map(|step| seconds.get(&step.key)).sum();
    let seconds = started.elapsed().as_secs_f64();
    let outcome = Outcome { graph: &graph, plan: &plan, fates, seconds, saved };
    outcome.print(&keys, store, args)?;
    let stopped = outcome.count(|fate| matches!(fate, Fate::NotStarted)) > 0;
    if let Some(signal) = signals.number().filter(|_| stopped) {
        let name = if signal == exit::TERMINATED - 128 { "SIGTERM" } else { "Ctrl-C" };
        args.log.note(&format!(
            "stopped by {name}; what was finished is kept. To go on, type:\n    {}",
            command_line()
        ));
        return Ok(128 + signal);
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
    past: &[Spent],
    store: &Store,
    signals: &Signals,
) -> Result<Vec<Fate>, Problem> {
    let device = args.device.select()?;
    let device = if args.plain_ops { device.with_plain_ops() } else { device };
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.jobs.map_or_else(|| default_jobs(&device, cores), NonZeroUsize::get);
    let limits = Limits { jobs, threads: cores, keep_going: args.keep_going };
    let mut costs = Costs::default();
    for spent in past.iter().filter(|spent| spent.device == device.name && spent.host == host()) {
        costs.add(&Profile::new(&spent.inputs), spent.seconds);
    }
    let datasets = Datasets::default();
    inspect(graph, plan, &datasets, args.log)?;
    let names = plan.steps.iter().map(|step| step_name(graph, step)).collect();
    let observer = args.log.view(plan, names, jobs, costs.clone());
    let (stop, checkpoint_every) = (&*signals.stop, Duration::from_secs(args.checkpoint_every));
    let runner = NodeRunner {
        store,
        graph,
        device,
        observer: &*observer,
        stop,
        checkpoint_every,
        threads: cores,
        datasets,
        told: Mutex::default(),
    };
    signals.nodes_run();
    let fates = execute(plan, &runner, &*observer, limits, costs, stop);
    signals.nodes_are_done();
    Ok(fates)
}

/// On a CPU, whole nodes side by side use the cores better than one node's small kernels do; a
/// GPU's memory is only sure to hold one node.
fn default_jobs(device: &Selected, cores: usize) -> usize {
    if device.is_cpu { cores } else { 1 }
}

/// Says what is about to happen, to those who want to know.
fn tell_plan(log: LogArgs, graph: &Graph<'_>, plan: &Plan) {
    if log.is_json() {
        let steps: Vec<Value> = plan.steps.iter().map(|step| step_json(graph, step)).collect();
        tell("plan", json!({ "pipeline": graph.pipeline.name, "steps": steps }));
    } else if log.is_verbose() {
        for step in plan.steps.iter().filter(|step| step.action == Action::Reuse) {
            let (kind, name) = (step.inputs.kind, step_name(graph, step));
            say(&format!("{kind} {name}: reused, entry {}", step.key.short()));
        }
    }
}

/// What a run has done.
struct Outcome<'a> {
    graph: &'a Graph<'a>,
    plan: &'a Plan,
    fates: Vec<Fate>,
    /// Wall time.
    seconds: f64,
    /// Seconds that the reused entries took when they were made.
    saved: f64,
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

    fn print(&self, keys: &[(KeyInputs, Key)], store: &Store, args: &Args) -> Result<(), Problem> {
        let report = Report::gather(self.graph, keys, &mut Entries::new(store))?;
        let (trained, measured) = (self.made(false), self.made(true));
        let reused = self.count(|fate| matches!(fate, Fate::Reused));
        if args.json {
            let steps = self.plan.steps.iter().zip(&self.fates);
            let steps: Vec<Value> = steps.map(|(step, fate)| self.step_json(step, fate)).collect();
            let text = serde_json::to_string_pretty(&json!({
                "pipeline": report.pipeline,
                "trained": trained,
                "measured": measured,
                "reused": reused,
                "seconds": self.seconds,
                "saved_seconds": self.saved,
                "steps": steps,
                "tables": report.tables,
            }));
            print_data(&(text.expect("plain data with string keys is always JSON") + "\n"))?;
        } else {
            print(&report.render(Format::Text))?;
        }
        self.tell_summary(args, trained, measured, reused);
        Ok(())
    }

    /// The last line: `trained 2, measured 2, reused 16, in 31.02 s; the cache saved 2 minutes`.
    fn tell_summary(&self, args: &Args, trained: usize, measured: usize, reused: usize) {
        let failed = self.count(|fate| matches!(fate, Fate::Failed(_)));
        let left = self.count(|fate| matches!(fate, Fate::Blocked(_) | Fate::NotStarted));
        let (seconds, saved) = (self.seconds, self.saved);
        if args.log.is_json() {
            let fields = json!({
                "trained": trained, "measured": measured, "reused": reused, "failed": failed,
                "not_run": left, "seconds": seconds, "saved_seconds": saved,
            });
            return tell("summary", fields);
        }
        if args.json {
            return;
        }
        let mut line = format!("trained {trained}, measured {measured}, reused {reused}");
        for (count, word) in [(failed, "failed"), (left, "not run")] {
            if count > 0 {
                line += &format!(", {word} {count}");
            }
        }
        line += &format!(", in {seconds:.2} s");
        if saved >= 1.0 {
            line += &format!("; the cache saved {}", long(saved));
        }
        args.log.note(&line);
    }

    fn step_json(&self, step: &Step, fate: &Fate) -> Value {
        let mut value = step_json(self.graph, step);
        let (word, detail) = fate_json(fate, |step| step_name(self.graph, &self.plan.steps[step]));
        value["fate"] = word.into();
        if let (Value::Object(all), Value::Object(more)) = (&mut value, detail) {
            all.extend(more);
        }
        value
    }
}
