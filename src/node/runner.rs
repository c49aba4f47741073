//! Runs one step of a plan: lock, look again, work, commit.

use super::{
    aim::Aim,
    claim::{Claim, Claimed, Claims},
    crew::Crew,
    device::Selected,
    devices::Pool,
    failure::{cache, data as data_error, other_version},
    fault::guarded,
    versions,
};
use crate::{
    dataset::{Data, DataError, Dataset, Format},
    executor::{
        Attempt, Done, Event, Observer, PATIENCE, Pause, Runner, Share, StepError, StepErrorKind,
    },
    graph::Graph,
    kernels,
    key::{Key, KeyInputs},
    pipeline::{How, Work},
    plan::Step,
    store::{
        Depth, Entry, KeyLock, Lookup, Outcome, Provenance, Reached, Staging, Store, host, now,
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Runs steps on devices, with results in a store.
pub struct NodeRunner<'a> {
    /// Where entries are read and written.
    pub store: &'a Store,
    /// What the steps mean.
    pub graph: &'a Graph<'a>,
    /// Where the arithmetic happens: each step has one of them.
    pub devices: Pool,
    /// Who hears of epochs, waits and damage.
    pub observer: &'a dyn Observer,
    /// Set to stop.
    pub stop: &'a AtomicBool,
    /// Time between two checkpoints inside an epoch.
    pub checkpoint_every: Duration,
    /// Most threads that one step will have.
    pub threads: usize,
    /// Decoded data sets, shared by the nodes of this process.
    pub datasets: &'a Datasets,
    /// Keys whose holders people have been told of.
    pub told: Mutex<HashSet<Key>>,
}

/// Data sets that have been read.
#[derive(Default)]
pub struct Datasets(Mutex<BTreeMap<Format, Arc<Dataset>>>);

impl Datasets {
    /// The images of `data`, if they are what `inputs` was made of.
    fn get(&self, data: &Data, inputs: &KeyInputs) -> Result<Arc<Dataset>, StepError> {
        let dataset = self.load(&data.format)?;
        let Some(planned) = &inputs.data else { return Ok(dataset) };
        let read = &dataset.digests;
        let parts =
            [("training", &planned.train, &read.train), ("test", &planned.test, &read.test)];
        let changed = |(_, planned, read): &(_, &Option<String>, _)| {
            planned.as_ref().is_some_and(|planned| planned != *read)
        };
        if let Some((part, ..)) = parts.into_iter().find(changed) {
            let whence = data.format.path().map(|path| format!(" in {}", path.display()));
            return Err(data_error(format!(
                "the {part} images{} have changed since the run was planned: run again, to plan with \
                 what is there now",
                whence.unwrap_or_default(),
            )));
        }
        Ok(dataset)
    }

    /// A data set, read if it has not been.
    ///
    /// # Errors
    /// [`DataError`] names the file that is not as it must be.
    pub fn load(&self, format: &Format) -> Result<Arc<Dataset>, DataError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dataset) = known.get(format) {
            return Ok(dataset.clone());
        }
        let started = Instant::now();
        let dataset = Arc::new(format.load()?);
        log::debug!("read {format:?} in {:.3} s", started.elapsed().as_secs_f64());
        known.insert(format.clone(), dataset.clone());
        Ok(dataset)
    }
}

/// One artifact in the making.
pub(super) struct Job<'a> {
    pub runner: &'a NodeRunner<'a>,
    pub step: usize,
    pub name: String,
    pub crew: &'a Crew,
    /// Where its arithmetic happens.
    pub device: &'a Selected,
    /// That of the step's own key.
    pub lock: &'a KeyLock,
}

impl Runner for NodeRunner<'_> {
    fn run(
        &self,
        index: usize,
        step: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError> {
        let task = self.graph.tasks[step.tasks[0]];
        let name = self.graph.name(step.tasks[0]);
        let need = self.graph.pipeline.gpu_memory(task.node);
        let Some(device) = self.devices.lend(need.bytes()) else {
            return Ok(Attempt::Busy(PATIENCE.into()));
        };
        let claims = Claims { store: self.store, observer: self.observer, told: &self.told };
        let stored = match &self.graph.pipeline.nodes[task.node].work {
            Work::Learn(learn) if !learn.asks_teachers() => step.inputs.teacher_logits(),
            Work::Learn(_) | Work::Eval(_) => Vec::new(),
        };
        let Claim { lock, logits } = match claims.claim(&name, step, stored)? {
            Claimed::Locked(claim) => claim,
            Claimed::Found => return Ok(Attempt::Done(Done::Elsewhere)),
            Claimed::Busy(behind) => return Ok(Attempt::Busy(Pause { time: PATIENCE, behind })),
        };
        let crew = Crew::new(self.threads, begin())?;
        let device = &*device;
        let job = Job { runner: self, step: index, name, crew: &crew, device, lock: &lock };
        let (key, threads) = (step.key.short(), crew.threads());
        log::debug!("{}: makes {key} on {} with {threads} threads", job.name, device.name);
        job.say_where(None);
        let work = || match &self.graph.pipeline.nodes[task.node].work {
            Work::Eval(eval) => job.measure(eval, step, &lock),
            Work::Learn(learn) => match &learn.how {
                How::Train(recipe, loss) => {
                    job.learn(learn, recipe, Aim::Labels(&**loss), task.seed, step, &lock)
                }
                How::Distill(recipe, teacher) => {
                    let aim = Aim::Teacher(teacher, logits);
                    job.learn(learn, recipe, aim, task.seed, step, &lock)
                }
                How::Mutual(recipe, mutual) => {
                    job.learn(learn, recipe, Aim::Mutual(mutual), task.seed, step, &lock)
                }
                How::Import(weights) => job.import(learn, weights, step, &lock),
            },
        };
        let made = guarded(device, need, || crew.work(work));
        // What a stopped node has said stands, so that `takd status` can tell where it resumes.
        let said = match &made {
            Ok(_) => self.store.drop_progress(&lock),
            Err(error) if error.kind == StepErrorKind::Interrupted => Ok(()),
            Err(error) => {
                let diverged = error.kind == StepErrorKind::Diverged;
                let kind = error.kind.to_string();
                self.store.write_failure(&lock, &error.message, &kind, diverged)
            }
        };
        if let Err(error) = said {
            log::warn!("{}: {error}", job.name);
        }
        made.map(Attempt::Done)
    }
}

impl Job<'_> {
    /// Tells other processes how far this one is. Nothing depends on it: where the cache refuses,
    /// the work continues.
    pub fn say_where(&self, reached: Option<Reached>) {
        if let Err(error) = self.runner.store.write_progress(self.lock, &self.name, reached) {
            log::warn!("{}: {error}", self.name);
        }
    }

    /// A line for people.
    pub fn note(&self, text: &str) {
        self.runner.observer.event(&Event::Note(format!("{}: {text}", self.name)));
    }

    /// An entry that an earlier step has made, and one of its files.
    pub fn read(&self, key: &Key, file: &str) -> Result<(Entry, Vec<u8>), StepError> {
        let store = self.runner.store;
        let whole = |entry: Entry| entry.read(file).map(|bytes| (entry, bytes));
        if let Lookup::Whole(entry) = store.find(key, Depth::Manifest)?
            && let Ok(found) = whole(*entry)
        {
            return Ok(found);
        }
        // A forced run may be replacing it at this moment: look again when nobody does.
        let mut patient = || !self.is_stopped();
        let lock = store.lock(key, &mut patient)?;
        let _lock = lock.ok_or_else(StepError::interrupted)?;
        match store.find(key, Depth::Content)? {
            Lookup::Whole(entry) => Ok(whole(*entry)?),
            Lookup::Missing => {
                Err(cache(format!("the entry {} has gone from the cache", key.short())))
            }
            Lookup::Damaged(problem) => Err(cache(format!(
                "the entry {} was damaged meanwhile ({problem}); run again to rebuild it",
                key.short()
            ))),
            Lookup::OtherVersion(version) => Err(other_version(key, &version)),
        }
    }

    /// Between two batches: takes on or lets go of threads. Whether the run was told to stop.
    pub fn rest(&self) -> bool {
        self.crew.settle();
        self.is_stopped()
    }

    /// Whether the run was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.runner.stop.load(Ordering::Relaxed)
    }

    /// The images that an artifact with these inputs is made from; mean and deviation, which can take
    /// minutes to measure, are known then.
    pub fn dataset(&self, data: &Data, inputs: &KeyInputs) -> Result<Arc<Dataset>, StepError> {
        let dataset = self.runner.datasets.get(data, inputs)?;
        let measured = dataset.measure(&data.normalisation, &|| self.is_stopped());
        measured?;
        Ok(dataset)
    }

    /// Writes an entry.
    pub fn commit(
        &self,
        lock: &KeyLock,
        inputs: &KeyInputs,
        files: &[(&str, Vec<u8>)],
        outcome: Outcome,
    ) -> Result<(), StepError> {
        self.commit_by(lock, inputs, files, outcome, self.provenance())
    }

    /// As [`commit`](Self::commit), with these circumstances.
    pub fn commit_by(
        &self,
        lock: &KeyLock,
        inputs: &KeyInputs,
        files: &[(&str, Vec<u8>)],
        outcome: Outcome,
        provenance: Provenance,
    ) -> Result<(), StepError> {
        let mut staging = Staging::new(self.runner.store, lock)?;
        for (name, bytes) in files {
            staging.write(name, bytes)?;
        }
        staging.commit(inputs.clone(), outcome, provenance)?;
        Ok(())
    }

    /// The circumstances of whatever this step makes.
    pub fn provenance(&self) -> Provenance {
        Provenance {
            takd: env!("CARGO_PKG_VERSION").to_owned(),
            burn: versions::burn().to_owned(),
            device: self.device.name.clone(),
            cpu: self.device.is_cpu.then(kernels::cpu),
            threads: self.crew.threads(),
            host: host(),
            finished: now(),
            node: self.name.clone(),
            on_collapse: None,
        }
    }
}
