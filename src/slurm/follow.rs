//! Following a plan whose steps run elsewhere: the cache says what is done and how far the rest is, Slurm what
//! will not be.

use super::{
    SlurmError,
    events::{of_entry, of_progress},
    queue::{Job, JobState, Queue},
    record::Records,
    submit::{Submitted, Submitter},
    tools::{self, Cluster},
    verdict::{Fate, fate},
};
use crate::{
    executor::{Done, Event, Observer, Status, StepError, StepErrorKind},
    key::Key,
    plan::Action,
    report::plural,
    store::{Depth, Lookup, Progress},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// Seconds between two questions to Slurm: the first while things happen, the last while nothing does.
const OFTEN: f64 = 2.0;
const SELDOM: f64 = 15.0;

/// How often a step is submitted again whose job ended without its fault.
const TRIES: u32 = 3;

/// Submits a plan, and follows it.
pub struct Follower<'a> {
    submitter: &'a Submitter<'a>,
    observer: &'a dyn Observer,
    stop: &'a AtomicBool,
    cluster: Cluster,
    statuses: Vec<Option<Status>>,
    /// Of each step that is open.
    open: BTreeMap<usize, Open>,
    /// What Slurm has said of waiting jobs, and people know.
    told: BTreeSet<(String, String)>,
    unheard: bool,
}

/// What is known of a step that is not done.
#[derive(Default)]
struct Open {
    job: Option<String>,
    started: bool,
    /// Epochs that were told of.
    epochs: usize,
    tries: u32,
    /// When a failure of before this submission was told: it is none of this job's.
    failed_before: Option<u64>,
    /// Whether its job has ended well and its entry is awaited: a file system may show it late.
    awaited: bool,
}

impl<'a> Follower<'a> {
    /// Of a plan; Slurm must answer.
    ///
    /// # Errors
    /// [`SlurmError`] if it does not.
    pub fn new(
        submitter: &'a Submitter<'a>,
        observer: &'a dyn Observer,
        stop: &'a AtomicBool,
    ) -> Result<Self, SlurmError> {
        let (mut statuses, mut open) = (Vec::new(), BTreeMap::new());
        for (index, step) in submitter.plan.steps.iter().enumerate() {
            statuses.push(match step.action {
                Action::Reuse => Some(Status::Reused),
                Action::Skip => Some(Status::Skipped),
                Action::Run(_) => {
                    open.insert(index, Open::default());
                    None
                }
            });
        }
        let (cluster, told) = (tools::cluster()?, BTreeSet::new());
        Ok(Self { submitter, observer, stop, cluster, statuses, open, told, unheard: false })
    }

    /// Submits what is not in the queue; what became of each step so far.
    ///
    /// # Errors
    /// [`SlurmError`] if Slurm refuses; what was submitted before stays.
    pub fn detach(mut self) -> Result<Vec<Status>, SlurmError> {
        self.submit()?;
        Ok(self.end())
    }

    /// Submits what is not in the queue, and stays until everything is done, or has failed.
    ///
    /// # Errors
    /// [`SlurmError`] if Slurm refuses; what was submitted before goes on.
    pub fn follow(mut self) -> Result<Vec<Status>, SlurmError> {
        self.submit()?;
        let (mut gap, mut asked) = (OFTEN, Instant::now());
        while !self.open.is_empty() && self.rest(gap) {
            let before = self.open.len();
            self.look_at_entries()?;
            self.look_at_progress()?;
            if asked.elapsed().as_secs_f64() >= gap {
                let moved = self.ask()?;
                asked = Instant::now();
                gap = if moved { OFTEN } else { (gap * 1.5).min(SELDOM) };
            }
            if self.open.len() != before {
                gap = OFTEN;
            }
        }
        if !self.open.is_empty() {
            let jobs = self.open.values().filter_map(|open| open.job.as_deref());
            let jobs: BTreeSet<&str> =
                jobs.map(|job| job.split('_').next().unwrap_or(job)).collect();
            let jobs: Vec<&str> = jobs.into_iter().collect();
            self.note(format!(
                "the jobs go on in Slurm; `scancel {}` ends them, and leaves a checkpoint of each training",
                jobs.join(" ")
            ));
        }
        Ok(self.end())
    }

    fn end(self) -> Vec<Status> {
        self.statuses.into_iter().map(|status| status.unwrap_or(Status::NotStarted)).collect()
    }

    /// Sleeps for a while; whether to go on.
    fn rest(&self, gap: f64) -> bool {
        let until = Instant::now() + Duration::from_secs_f64((gap / 3.0).max(0.5));
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50));
        }
        !self.stop.load(Ordering::Relaxed)
    }

    /// Steps that need a job: those without one, but for what another training leaves on its way.
    fn lacking(&self) -> Vec<usize> {
        let steps = &self.submitter.plan.steps;
        let is_left =
            |step: usize| steps[step].left_by.is_some_and(|maker| self.open.contains_key(&maker));
        let open = self.open.iter().filter(|(_, open)| open.job.is_none());
        open.map(|(&step, _)| step).filter(|&step| !is_left(step)).collect()
    }

    fn submit(&mut self) -> Result<(), SlurmError> {
        let lacking = self.lacking();
        if lacking.is_empty() {
            return Ok(());
        }
        for step in &lacking {
            let said = self.submitter.store.said(&self.submitter.plan.steps[*step].key)?;
            let failed = said.filter(|said| said.failure.is_some()).map(|said| said.updated);
            self.opened(*step).failed_before = failed;
        }
        let (stop, mut waits) = (self.stop, false);
        let observer = self.observer;
        let mut patient = || {
            if !waits {
                observer.event(&Event::Note("another takd submits to Slurm: waiting".to_owned()));
            }
            waits = true;
            !stop.load(Ordering::Relaxed)
        };
        let submitted = self.submitter.submit(&lacking, &self.cluster, &mut patient)?;
        let Some(Submitted { jobs, new: (new, steps), found }) = submitted else { return Ok(()) };
        for (step, job) in jobs {
            let open = self.opened(step);
            (open.job, open.awaited) = (Some(job), false);
        }
        if !new.is_empty() {
            let (jobs, nodes) = (new.len(), plural(steps));
            // Slurm numbers the tasks of an array as well, so there are gaps.
            let numbers = match &*new {
                [one] => format!("job {one}"),
                new => format!("{jobs} jobs, {} to {}", new[0], new[jobs - 1]),
            };
            self.note(format!("submitted {steps} node{nodes} as {numbers}"));
        }
        if found > 0 {
            self.note(format!("{found} node{} found in Slurm's queue", plural(found)));
        }
        Ok(())
    }

    fn opened(&mut self, step: usize) -> &mut Open {
        self.open.entry(step).or_default()
    }

    /// What has come into the cache.
    fn look_at_entries(&mut self) -> Result<(), SlurmError> {
        // One look at the folder: names that were looked for in vain may be missed for a while on NFS.
        let there: BTreeSet<Key> = self.submitter.store.keys()?.into_iter().collect();
        let steps: Vec<usize> = self.open.keys().copied().collect();
        for step in steps {
            if there.contains(&self.submitter.plan.steps[step].key) {
                self.find(step)?;
            }
        }
        Ok(())
    }

    /// Whether a step's entry is there; it is done then.
    fn find(&mut self, step: usize) -> Result<bool, SlurmError> {
        let key = &self.submitter.plan.steps[step].key;
        let Lookup::Whole(entry) = self.submitter.store.find(key, Depth::Manifest)? else {
            return Ok(false);
        };
        self.start(step);
        of_entry(step, &entry).iter().for_each(|event| self.observer.event(event));
        let seconds = entry.manifest.outcome.seconds();
        self.finish(step, Status::Done(Done::Here(seconds)));
        Ok(true)
    }

    /// How far running jobs are.
    fn look_at_progress(&mut self) -> Result<(), SlurmError> {
        for (&step, open) in self.open.iter_mut().filter(|(_, open)| open.started) {
            let key = &self.submitter.plan.steps[step].key;
            if let Some(Progress { reached: Some(at), .. }) = self.submitter.store.said(key)? {
                let events = of_progress(step, &at, &mut open.epochs);
                events.iter().for_each(|event| self.observer.event(event));
            }
        }
        Ok(())
    }

    /// Asks Slurm for what has become of the jobs, and submits again what it lost; whether anything has changed.
    fn ask(&mut self) -> Result<bool, SlurmError> {
        let queue = match Queue::read(self.submitter.store, &self.cluster.name) {
            Ok(queue) => queue,
            // It may be restarted: that says nothing of the jobs.
            Err(error @ SlurmError::Refused { .. }) => {
                if !self.unheard {
                    self.note(format!("{error}; asking again"));
                }
                self.unheard = true;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        self.unheard = false;
        let mut moved = false;
        // Parents come first, so that what waited for a failure is known when its own turn comes.
        for step in self.open.keys().copied().collect::<Vec<_>>() {
            let Some(id) = self.open.get(&step).and_then(|open| open.job.clone()) else { continue };
            match queue.job(&id) {
                Some(Job { state: JobState::Running, .. }) => {
                    moved |= !self.opened(step).started;
                    self.start(step);
                }
                Some(Job { state: JobState::Pending, reason, .. }) => {
                    self.tell_reason(step, &id, reason)
                }
                Some(Job { state: JobState::Ended(state), reason, .. }) => {
                    moved = true;
                    self.over(step, &id, Some((state, reason)))?;
                }
                None => {
                    moved = true;
                    self.over(step, &id, None)?;
                }
            }
        }
        self.submit()?;
        Ok(moved)
    }

    /// A job has ended so, or is not known any more.
    fn over(
        &mut self,
        step: usize,
        id: &str,
        ended: Option<(&str, &str)>,
    ) -> Result<(), SlurmError> {
        if self.find(step)? {
            return Ok(());
        }
        let key = self.submitter.plan.steps[step].key;
        let Open { failed_before, awaited, .. } = *self.opened(step);
        let said = self.submitter.store.said(&key)?;
        let said =
            said.filter(|said| said.failure.is_some() && Some(said.updated) != failed_before);
        let log = Records::new(self.submitter.store).logs()?.join(format!("{id}.log"));
        match fate(id, ended, said.as_ref(), || tools::exit_code(id), &log) {
            Fate::Awaited if !awaited => self.opened(step).awaited = true,
            // It waited for what has not come, and is not to blame.
            Fate::Released => self.opened(step).job = None,
            Fate::Lost(how) if self.opened(step).tries < TRIES => {
                let open = self.opened(step);
                (open.job, open.started, open.tries) = (None, false, open.tries + 1);
                self.note(format!(
                    "{}: job {id} {how}: submitted again",
                    self.submitter.name(step)
                ));
            }
            Fate::Lost(how) => {
                let message = format!(
                    "job {id} {how}, as {TRIES} before it; the end of its log {} may tell why",
                    log.display()
                );
                self.fail(step, StepError::new(StepErrorKind::Job, message));
            }
            Fate::Awaited => {
                let message = format!(
                    "job {id} ended well, and left no entry of the key {}: data or takd have changed since it \
                     was submitted; run again (its log is {})",
                    key.short(),
                    log.display()
                );
                self.fail(step, StepError::new(StepErrorKind::Job, message));
            }
            Fate::Failed(error) => self.fail(step, error),
        }
        Ok(())
    }

    /// A step has failed; what waits for it never runs, and Slurm lets go of its jobs by itself.
    fn fail(&mut self, root: usize, error: StepError) {
        self.start(root);
        self.finish(root, Status::Failed(Box::new(error)));
        let mut lost = BTreeSet::from([root]);
        for step in root + 1..self.statuses.len() {
            let waits =
                self.submitter.plan.steps[step].parents.iter().any(|parent| lost.contains(parent));
            if waits && self.open.contains_key(&step) {
                lost.insert(step);
                self.finish(step, Status::Blocked(root));
            }
        }
    }

    fn finish(&mut self, step: usize, status: Status) {
        self.open.remove(&step);
        self.statuses[step] = Some(status.clone());
        self.observer.event(&Event::Ended { step, status });
    }

    fn start(&mut self, step: usize) {
        if !std::mem::replace(&mut self.opened(step).started, true) {
            self.observer.event(&Event::Started { step });
        }
    }

    /// Says once why a job waits, where it is not for its turn.
    fn tell_reason(&mut self, step: usize, id: &str, reason: &str) {
        let usual = [
            "None",
            "Priority",
            "Resources",
            "Dependency",
            "BeginTime",
            "Cleaning",
            "JobArrayTaskLimit",
        ];
        let array = id.split('_').next().unwrap_or(id).to_owned();
        if !usual.contains(&reason) && self.told.insert((array, reason.to_owned())) {
            let name = self.submitter.name(step);
            self.note(format!("{name}: job {id} waits: {reason} (see `scontrol show job {id}`)"));
        }
    }

    fn note(&self, text: String) {
        self.observer.event(&Event::Note(text));
    }
}
