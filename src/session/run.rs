//! Running a plan: what the cache lacks is made, node by node.

use super::{
    Executor, OpenError, Session,
    exchange::Exchange,
    inspect::inspect,
    rounds::Shared,
    selection::Selection,
    survey::Survey,
    watcher::{Outlook, Watcher},
};
use crate::{
    dataset::DataError,
    executor::{Done, Limits, Measuring, Runner, Status, StepError, StepErrorKind, Width, execute},
    graph::{Graph, SelectError},
    key::{Key, Kind, keys},
    node::{Choice, DeviceError, Devices, Jobs, NodeRunner},
    plan::{Action, Plan, Step},
    remote::{Beside, Remote, RemoteError, SharedRunner, Shipped},
    slurm::SlurmError,
    store::{Depth, StoreError},
};
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    num::NonZeroUsize,
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread::available_parallelism,
    time::{Duration, Instant},
};

/// How a run goes about it. Nothing here changes a result, but for the last bits that a device's own
/// arithmetic gives.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Where the arithmetic happens.
    pub devices: Devices,
    /// On the CPU, burn's own operations in place of takd's faster ones.
    pub burn_ops: bool,
    /// How many nodes run in parallel.
    pub jobs: Jobs,
    /// When a node fails, continue with those that do not depend on it.
    pub keep_going: bool,
    /// Time between two checkpoints inside an epoch; an epoch's end has its own.
    pub checkpoint_every: Duration,
    /// Set it to stop: running trainings leave a checkpoint.
    pub stop: Arc<AtomicBool>,
    /// Where steps run.
    pub executor: Executor,
    /// A cache that machines share: what it has is not made, and what is made is pushed there.
    pub remote: Option<Arc<Remote>>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            devices: Choice::Auto.into(),
            burn_ops: false,
            jobs: Jobs::Auto,
            keep_going: false,
            checkpoint_every: Duration::from_secs(300),
            stop: Arc::default(),
            executor: Executor::Local,
            remote: None,
        }
    }
}

/// Why a run did not begin. What goes wrong in a step is its [`Status`].
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A NODE that names nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A device that does not exist.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A data set that is not there or not whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cluster.
    #[error(transparent)]
    Slurm(#[from] SlurmError),
    /// The remote, before anything ran. What goes wrong with it later is told and does not end the run.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The pipeline, when it was read again with what a search has found.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nodes have to run, and the cache can only be read.
    #[error("{error}: the cache can only be read, and {missing} of the nodes are not in it")]
    ReadOnly {
        /// Why it cannot be written.
        error: StoreError,
        /// Nodes that would have to run.
        missing: usize,
    },
}

/// What a run has done.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// What was to be done.
    pub plan: Plan,
    /// What became of each of its steps.
    pub statuses: Vec<Status>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Seconds that the reused entries took when they were made.
    pub saved_seconds: f64,
    /// What has gone to the remote and come from there, if there is one.
    pub shipped: Option<Shipped>,
}

impl Session {
    /// Makes what the cache lacks of these nodes and of what they need. Searches are run to their end: a
    /// round for each batch of trials, and at last whatever else is meant.
    ///
    /// # Errors
    /// [`RunError`] if nothing could be begun. A step that fails is told in
    /// [`statuses`](RunOutcome::statuses); a trial that diverges counts as the worst, and is none.
    pub fn run(
        &mut self,
        selection: &Selection,
        options: &RunOptions,
        watcher: &dyn Watcher,
    ) -> Result<RunOutcome, RunError> {
        let started = Instant::now();
        for doubt in self.pipeline.doubts() {
            watcher.note(&format!("warning: {doubt}"));
        }
        let (remote, stop) = (options.remote.as_ref(), &options.stop);
        let mut exchange = Exchange::begin(remote, stop, &self.store, watcher)?;
        let mut shared = Shared::default();
        loop {
            if let Some(exchange) = &mut exchange {
                exchange.outline(&keys(&self.graph()), &self.store, watcher)?;
                // What came may decide what a search tries next.
                if self.settle(false)? {
                    continue;
                }
            }
            let is_last = self.asked(&self.graph(), selection).is_empty();
            let round =
                self.round(selection, is_last, options, watcher, (&mut shared, &mut exchange));
            let mut outcome = round?;
            let failed = outcome.errors().any(|error| error.kind != StepErrorKind::Diverged);
            let stopped = outcome.is_stopped();
            if !is_last {
                remember(&outcome, &mut shared.made);
                if !failed && !stopped && self.settle(false)? {
                    self.pipeline.searches.iter().for_each(|s| watcher.note(&s.so_far()));
                    continue;
                }
            }
            outcome.recall(&shared.made);
            if is_last {
                self.time(selection, options, watcher);
            }
            outcome.shipped = exchange.map(|exchange| exchange.end(watcher));
            outcome.seconds = started.elapsed().as_secs_f64();
            return Ok(outcome);
        }
    }

    fn round(
        &self,
        selection: &Selection,
        is_last: bool,
        options: &RunOptions,
        watcher: &dyn Watcher,
        (shared, exchange): (&mut Shared, &mut Option<Exchange>),
    ) -> Result<RunOutcome, RunError> {
        let started = Instant::now();
        let graph = self.graph();
        let (targets, forced) = match is_last {
            true => self.targets(&graph, selection)?,
            false => (self.asked(&graph, selection), Vec::new()),
        };
        // A trial that diverges does not keep the others from running.
        let keep_going = options.keep_going || !is_last;
        let options = &RunOptions { keep_going, ..options.clone() };
        // A cache that cannot be written is still good for reading, as long as nothing has to run.
        let (_entered, refusal) = self.store.enter();
        // What nobody asks for here may be much, and is not read.
        let needed = graph.dag.closure(&targets);
        let mut survey = Survey::with(&graph, &self.store, &needed, |key| {
            if shared.whole.contains(key) { Depth::Manifest } else { Depth::Content }
        })?;
        shared.whole.extend(&survey.known.present);
        let plan = match exchange {
            None => survey.plan(&graph, &targets, &forced),
            Some(exchange) => {
                let here = survey.known.present.clone();
                exchange.add_to(&mut survey);
                loop {
                    let plan = survey.plan(&graph, &targets, &forced);
                    let (what, at) = ((&graph, &plan), (&self.store, &here));
                    if !exchange.fetch(what, at, &mut survey, selection, watcher)? {
                        exchange.offer(&graph, &plan, &here, &self.store)?;
                        break plan;
                    }
                }
            }
        };
        watcher.planned(&graph, &plan);
        let missing = plan.running().count();
        let statuses = match (missing, refusal) {
            (1.., Some(error)) => return Err(RunError::ReadOnly { error, missing }),
            (1.., None) => match &options.executor {
                Executor::Local => {
                    let statuses = {
                        let shared = (shared, exchange.as_ref());
                        self.walk((&graph, &plan), &survey, options, watcher, shared)?
                    };
                    if let Some(exchange) = exchange {
                        let what = (&graph, &plan, selection);
                        exchange.gather(&statuses, what, &self.store, watcher);
                    }
                    statuses
                }
                Executor::Slurm(job) => {
                    let made = self.submit(&graph, &plan, &survey, job, &options.stop, watcher)?;
                    if let Some(exchange) = exchange {
                        exchange.offer_made(&graph, &plan, &made);
                    }
                    made
                }
            },
            (0, refusal) => {
                if let Some(refusal) = refusal {
                    watcher.note(&format!("note: the cache can only be read: {refusal}"));
                }
                plan.steps.iter().map(at_rest).collect()
            }
        };
        let reused = plan.steps.iter().filter(|step| step.action == Action::Reuse);
        // A sum of nothing is −0.0.
        let saved_seconds =
            reused.filter_map(|step| survey.seconds.get(&step.key)).sum::<f64>() + 0.0;
        let seconds = started.elapsed().as_secs_f64();
        Ok(RunOutcome { plan, statuses, seconds, saved_seconds, shipped: None })
    }

    fn walk(
        &self,
        (graph, plan): (&Graph<'_>, &Plan),
        survey: &Survey,
        options: &RunOptions,
        watcher: &dyn Watcher,
        (shared, exchange): (&mut Shared, Option<&Exchange>),
    ) -> Result<Vec<Status>, RunError> {
        let devices = options.devices.select()?;
        let devices = if options.burn_ops { devices.with_burn_ops() } else { devices };
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let is_cpu = devices.each().iter().any(|device| device.is_cpu);
        let jobs = options.jobs.most(devices.each().len(), is_cpu, cores);
        let devices = devices.with_jobs(options.jobs);
        let width = options.jobs.is_measured(is_cpu).then(|| Arc::new(Width::new(plan, jobs)));
        let limits = Limits {
            jobs,
            width: width.clone(),
            threads: cores,
            keep_going: options.keep_going,
            salt: exchange.map(|_| RandomState::new().hash_one(())),
        };
        let costs = survey.costs(graph, &devices);
        inspect(graph, plan, shared, watcher)?;
        let observer = watcher.begin(&Outlook { graph, plan, jobs, costs: &costs });
        let observer = Measuring::new(&*observer, width);
        let runner = NodeRunner {
            store: &self.store,
            graph,
            devices,
            observer: &observer,
            stop: &options.stop,
            checkpoint_every: options.checkpoint_every,
            threads: cores,
            datasets: &shared.datasets,
            told: Mutex::default(),
        };
        let run = |runner: &dyn Runner| {
            execute(plan, runner, &observer, limits.clone(), costs.clone(), &options.stop)
        };
        let statuses = match exchange {
            None => run(&runner),
            Some(Exchange { sharing, .. }) => {
                let beside = Beside::new(graph, plan);
                let what = (graph, &beside);
                run(&SharedRunner::new(sharing, &runner, &self.store, what, &observer))
            }
        };
        watcher.end();
        Ok(statuses)
    }
}

/// Takes down what a round has made.
fn remember(outcome: &RunOutcome, made: &mut HashMap<Key, Status>) {
    for (step, status) in outcome.plan.steps.iter().zip(&outcome.statuses) {
        if matches!(status, Status::Done(_)) {
            made.insert(step.key, status.clone());
        }
    }
}

/// What became of a step that did not have to run.
fn at_rest(step: &Step) -> Status {
    if step.action == Action::Skip { Status::Skipped } else { Status::Reused }
}

impl RunOutcome {
    /// Tells of steps that an earlier round of the same run has made that they were made.
    fn recall(&mut self, made: &HashMap<Key, Status>) {
        for (step, status) in self.plan.steps.iter().zip(&mut self.statuses) {
            if let (Status::Reused, Some(before)) = (&status, made.get(&step.key)) {
                if let Status::Done(Done::Here(seconds)) = before {
                    self.saved_seconds -= seconds;
                }
                *status = before.clone();
            }
        }
        self.saved_seconds = self.saved_seconds.max(0.0);
    }

    fn count(&self, wanted: impl Fn(&Status) -> bool) -> usize {
        self.statuses.iter().filter(|status| wanted(status)).count()
    }

    /// Steps that this process made, evaluations or all others.
    fn made(&self, evaluations: bool) -> usize {
        let steps = self.plan.steps.iter().zip(&self.statuses);
        let made = |status: &Status| matches!(status, Status::Done(Done::Here(_)));
        steps
            .filter(|(step, status)| {
                made(status) && (step.inputs.kind == Kind::Eval) == evaluations
            })
            .count()
    }

    /// Networks that this process trained, distilled or imported.
    pub fn trained(&self) -> usize {
        self.made(false)
    }

    /// Evaluations that this process made.
    pub fn measured(&self) -> usize {
        self.made(true)
    }

    /// Steps whose artifact was there.
    pub fn reused(&self) -> usize {
        self.count(|status| matches!(status, Status::Reused))
    }

    /// Why steps failed, in the plan's order.
    pub fn errors(&self) -> impl Iterator<Item = &StepError> {
        self.statuses.iter().filter_map(|status| match status {
            Status::Failed(error) => Some(&**error),
            _ => None,
        })
    }

    /// Steps that failed.
    pub fn failed(&self) -> usize {
        self.errors().count()
    }

    /// Steps that did not run, since another failed or the run was stopped.
    pub fn not_run(&self) -> usize {
        self.count(|status| matches!(status, Status::Blocked(_) | Status::NotStarted))
    }

    /// Whether the run was stopped before its end.
    pub fn is_stopped(&self) -> bool {
        self.count(|status| matches!(status, Status::NotStarted)) > 0
    }
}
