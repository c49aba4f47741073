//! `takd run`.

mod cluster;
mod watch;

use crate::{
    console::{
        Decoding, LogArgs, PipelineArgs, RemoteArgs, Signals, code, coloured, command_line,
        exit::{self, Problem},
        long, nodes, print, print_json, say, show, status_json, step_json, tell,
    },
    executor::{Observer, Status},
    graph::Graph,
    node::{Devices, Jobs},
    plan::{Action, Plan, Step},
    remote::Shipped,
    report::{Report, render::text},
    session::{Executor, Outlook, RunOptions, RunOutcome, Selection, Session, Watcher},
    store::Store,
};
use cluster::ClusterArgs;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::{
    num::NonZeroUsize,
    str::FromStr,
    time::{Duration, Instant},
};
use watch::Watched;

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd run pipelines/quickstart.toml 'a*' --jobs 2")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Only these nodes and what they need; globs
    #[arg(value_name = "NODE", add = nodes())]
    nodes: Vec<String>,
    /// Show what would run, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Nodes to run in parallel; auto: as many as do most work on the CPU, one on each GPU
    #[arg(long, default_value = "auto", value_name = "N|auto")]
    jobs: Count,
    /// Nodes to run in parallel on each GPU; auto: as many as its memory holds, by estimate
    #[arg(long, value_name = "N|auto", conflicts_with = "jobs")]
    jobs_per_device: Option<Count>,
    /// auto, cpu, cuda[:N] or wgpu[:N], cuda:0,2 or cuda:all; auto takes CUDA, another GPU, or the CPU
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: Devices,
    /// Use burn's own operations and not takd's faster ones
    #[arg(long)]
    burn_ops: bool,
    /// When a node fails, continue with those that do not depend on it
    #[arg(long)]
    keep_going: bool,
    /// Run these nodes although the cache holds them; globs; may be repeated
    #[arg(long, value_name = "NODE", add = nodes())]
    force: Vec<String>,
    /// Seconds between checkpoints inside an epoch; epochs' ends have their own
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    checkpoint_every: u64,
    /// Run again whenever the pipeline or a file that it reads has changed, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

/// How many nodes run in parallel, where it is said.
#[derive(Clone, Copy)]
struct Count(Option<NonZeroUsize>);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self(None)),
            (_, Ok(jobs)) => Ok(Self(Some(jobs))),
            (_, Err(_)) => Err("it is a number from 1, or `auto`".to_owned()),
        }
    }
}

impl Args {
    fn jobs(&self) -> Jobs {
        match (self.jobs_per_device, self.jobs) {
            (Some(Count(count)), _) => count.map_or(Jobs::ByMemory, Jobs::PerDevice),
            (None, Count(count)) => count.map_or(Jobs::Auto, Jobs::InAll),
        }
    }
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let signals = Signals::listen(args.log);
    args.log.never_wait();
    let mut watched = Watched::new(args.pipeline.path());
    let executor = args.cluster.executor(args, store)?;
    if !args.watch {
        return once(args, store, executor, &signals, &mut watched);
    }
    loop {
        let code = once(args, store, executor.clone(), &signals, &mut watched);
        let code = code.unwrap_or_else(|problem| {
            say(&problem.render(coloured()));
            problem.exit_code()
        });
        if signals.number().is_some() {
            return Ok(code);
        }
        args.log.note(&format!("watching {}; Ctrl-C ends it", args.pipeline.file()));
        match watched.wait(&signals.stop) {
            Some(file) => args.log.note(&format!("{} has changed", file.display())),
            None => return Ok(code),
        }
    }
}

/// One run; `watched` gets to know what it reads.
fn once(
    args: &Args,
    store: &Store,
    executor: Executor,
    signals: &Signals,
    watched: &mut Watched,
) -> Result<u8, Problem> {
    let started = Instant::now();
    let selection = Selection { nodes: args.nodes.clone(), force: args.force.clone() };
    // Of a cluster's job the submitter has asked the remote, and pushes what it makes.
    let remote = if args.cluster.submitted.is_some() { None } else { args.remote.open()? };
    if args.dry_run {
        let session = args.pipeline.planned_session(store)?;
        watched.reads(&session.pipeline);
        let mut survey = session.survey()?;
        survey.add(remote.map(|remote| remote.keys()).transpose()?.unwrap_or_default());
        show(&session, &survey, &session.plan_of(&survey, &selection)?, args.json)?;
        return Ok(exit::OK);
    }
    let mut opening = args.pipeline.opening();
    if let Some(copy) = &args.cluster.submitted {
        opening = opening.submitted(copy);
    }
    let mut session = opening.session(store.clone()).map_err(Problem::Open)?;
    watched.reads(&session.pipeline);
    let options = RunOptions {
        devices: args.device.clone(),
        burn_ops: args.burn_ops,
        jobs: args.jobs(),
        keep_going: args.keep_going,
        checkpoint_every: Duration::from_secs(args.checkpoint_every),
        stop: signals.stop.clone(),
        executor,
        remote,
    };
    if args.cluster.printed(&session, &selection, &options.executor)? {
        return Ok(exit::OK);
    }
    let watcher = Told { log: args.log, signals };
    let mut outcome = session.run(&selection, &options, &watcher)?;
    // The user has waited for the pipeline to be read, too.
    outcome.seconds = started.elapsed().as_secs_f64();
    let told = Outcome { session: &session, graph: session.graph(), outcome: &outcome };
    if args.cluster.detach {
        return Ok(detached(args, &session));
    }
    told.print(args)?;
    if let Some(signal) = signals.number().filter(|_| outcome.is_stopped()) {
        let name = match code(signal) {
            exit::TERMINATED => "SIGTERM",
            exit::TIME_LIMIT => "SIGUSR1, the notice of a time limit",
            _ => "Ctrl-C",
        };
        args.log.note(&format!(
            "stopped by {name}; what was finished is kept. To resume, type:\n    {}",
            command_line()
        ));
        return Ok(code(signal));
    }
    Ok(outcome.errors().map(|error| exit::of(error.kind)).max().unwrap_or(exit::OK))
}

/// What has gone and come: `remote: pulled 3 entries (1.20 MiB), pushed 2 (0.80 MiB)`.
fn shipped_line(shipped: &Shipped) -> String {
    let entries = |count: usize| if count == 1 { "entry" } else { "entries" };
    let (pulled, pushed) = (shipped.pulled, shipped.pushed);
    let (came, went) = (HumanBytes(shipped.pulled_bytes), HumanBytes(shipped.pushed_bytes));
    let mut line =
        format!("remote: pulled {pulled} {} ({came}), pushed {pushed} ({went})", entries(pulled));
    for (count, what) in [
        (shipped.equal, "were made elsewhere with the same bits"),
        (shipped.differing, "were made elsewhere with other bits"),
        (shipped.left, "not pushed"),
    ] {
        if count > 0 {
            line += &format!(", {count} {what}");
        }
    }
    line
}

/// What to know of jobs that nobody follows.
fn detached(args: &Args, session: &Session) -> u8 {
    if !session.pipeline.asks.is_empty() {
        args.log.note(
            "searches and choices go on when what was submitted is measured: type the same again then",
        );
    }
    args.log.note("`takd status` shows the jobs; the same command without --detach follows them");
    exit::OK
}

/// A run's words on stderr.
struct Told<'a> {
    log: LogArgs,
    signals: &'a Signals,
}

impl Watcher for Told<'_> {
    fn planned(&self, graph: &Graph<'_>, plan: &Plan) {
        if self.log.is_json() {
            let steps: Vec<Value> = plan.steps.iter().map(|step| step_json(graph, step)).collect();
            tell("plan", json!({ "pipeline": graph.pipeline.name, "steps": steps }));
        } else if self.log.is_verbose() {
            for step in plan.steps.iter().filter(|step| step.action == Action::Reuse) {
                let (kind, name) = (step.inputs.kind, step.name(graph));
                say(&format!("{kind} {name}: reused, entry {}", step.key.short()));
            }
        }
    }

    fn note(&self, text: &str) {
        self.log.note(text);
    }

    fn decoding<'a>(&'a self, data: &str, images: usize) -> Box<dyn Fn() + Sync + 'a> {
        let decoding = Decoding::new(self.log, data, images);
        Box::new(move || decoding.advance())
    }

    fn begin<'a>(&'a self, outlook: &Outlook<'_>) -> Box<dyn Observer + 'a> {
        let Outlook { graph, plan, jobs, costs } = outlook;
        let names = plan.steps.iter().map(|step| step.name(graph)).collect();
        let group =
            |step: &Step| graph.pipeline.nodes[graph.tasks[step.tasks[0]].node].group.clone();
        let groups: Vec<_> = plan.steps.iter().map(group).collect();
        let view = self.log.view(plan, names, &groups, *jobs, (*costs).clone());
        self.signals.nodes_run();
        view
    }

    fn end(&self) {
        self.signals.nodes_are_done();
    }
}

/// What a run has done, for people and programs.
struct Outcome<'a> {
    session: &'a Session,
    graph: Graph<'a>,
    outcome: &'a RunOutcome,
}

impl Outcome<'_> {
    fn print(&self, args: &Args) -> Result<(), Problem> {
        // A cluster's job is one node of many: whoever follows them prints the tables once.
        if args.json {
            self.print_json(&self.session.report()?)?;
        } else if args.cluster.submitted.is_none() {
            print(&text(&self.session.report()?))?;
        }
        self.tell_summary(args);
        if let Some(shipped) = self.outcome.shipped.as_ref().filter(|_| !args.json) {
            args.log.note(&shipped_line(shipped));
        }
        Ok(())
    }

    fn print_json(&self, report: &Report) -> Result<(), Problem> {
        let RunOutcome { plan, statuses, seconds, saved_seconds, shipped } = self.outcome;
        let steps = plan.steps.iter().zip(statuses);
        let steps: Vec<Value> = steps.map(|(step, status)| self.step_json(step, status)).collect();
        let mut result = json!({
            "pipeline": report.pipeline,
            "trained": self.outcome.trained(),
            "measured": self.outcome.measured(),
            "reused": self.outcome.reused(),
            "seconds": seconds,
            "saved_seconds": saved_seconds,
            "steps": steps,
            "tables": report.tables,
        });
        if let Some(shipped) = shipped {
            result["remote"] = json!(shipped);
        }
        print_json(&result)
    }

    /// The last line: `trained 2, measured 2, reused 16, in 31.02 s; the cache saved 2 minutes`.
    fn tell_summary(&self, args: &Args) {
        let outcome = self.outcome;
        let (trained, measured, reused) = (outcome.trained(), outcome.measured(), outcome.reused());
        let (failed, left) = (outcome.failed(), outcome.not_run());
        let (seconds, saved) = (outcome.seconds, outcome.saved_seconds);
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

    fn step_json(&self, step: &Step, status: &Status) -> Value {
        let mut value = step_json(&self.graph, step);
        let (word, detail) =
            status_json(status, |step| self.outcome.plan.steps[step].name(&self.graph));
        value["status"] = word.into();
        if let (Value::Object(all), Value::Object(more)) = (&mut value, detail) {
            all.extend(more);
        }
        value
    }
}
