//! Running steps that several machines share: each is made by the one that has its lease.

use super::{Pulled, RemoteError, Sharing, Taken, pusher::Parcel};
use crate::{
    executor::{Attempt, Done, Event, Observer, Runner, Share, StepError},
    graph::Graph,
    key::{Key, Kind},
    pipeline::{How, Learn, Work},
    plan::{Action, Plan, Reason, Step},
    store::{Depth, Lookup, Store},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A runner whose steps are shared with other machines.
pub struct SharedRunner<'a> {
    sharing: &'a Sharing,
    /// Who makes what is to be made here.
    runner: &'a dyn Runner,
    store: &'a Store,
    graph: &'a Graph<'a>,
    plan: &'a Plan,
    observer: &'a dyn Observer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Steps that others make: when to look again, and how long after that.
    looks: HashMap<Key, (Instant, Duration)>,
    /// What people were told of keys: who makes them, or why they do not come.
    told: HashSet<(Key, Word)>,
    /// Whether people were told that leases cannot be taken.
    is_told: bool,
}

/// What is told of a key once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Holder,
    Problem,
}

/// Times between two looks at a step that another machine makes.
const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(5);

/// What came of asking for a key.
enum Claim {
    /// This process makes it; whether a lease says so.
    Make(bool),
    /// It has come from the remote.
    Came,
    /// Another machine makes it.
    Theirs,
}

impl<'a> SharedRunner<'a> {
    /// Shares the steps of `plan`, which `runner` runs.
    pub fn new(
        sharing: &'a Sharing,
        runner: &'a dyn Runner,
        store: &'a Store,
        (graph, plan): (&'a Graph<'a>, &'a Plan),
        observer: &'a dyn Observer,
    ) -> Self {
        Self { sharing, runner, store, graph, plan, observer, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, text: String) {
        self.observer.event(&Event::Note(text));
    }

    fn is_here(&self, key: &Key) -> Result<bool, StepError> {
        Ok(matches!(self.store.find(key, Depth::Manifest)?, Lookup::Whole(_)))
    }

    /// Whether it is too early to look again at a step that another machine makes.
    fn rests(&self, key: &Key, now: Instant) -> bool {
        self.state().looks.get(key).is_some_and(|(next, _)| now < *next)
    }

    /// Another machine makes it: when to look again.
    fn defer(&self, key: &Key, now: Instant) {
        let mut state = self.state();
        let (next, pause) = state.looks.entry(*key).or_insert((now, SOON));
        *next = now + *pause;
        *pause = (*pause * 3 / 2).min(LATE);
    }

    /// Asks for a key: takes its lease, or its entry where that is there.
    fn claim(&self, name: &str, key: &Key, is_forced: bool) -> Result<Claim, StepError> {
        let desk = &self.sharing.desk;
        let is_leased = match desk.is_read_only() {
            true => false,
            false => match desk.leases.take(key, Instant::now()) {
                Ok(Taken::Ours(before)) => {
                    if let Some(holder) = before {
                        self.note(format!(
                            "{name}: process {} on {} has not renewed its lease and is taken for dead",
                            holder.pid, holder.host
                        ));
                    }
                    true
                }
                Ok(Taken::Theirs(holder)) => {
                    let is_new = || self.state().told.insert((*key, Word::Holder));
                    if let Some(holder) = holder.filter(|_| is_new()) {
                        let (pid, host) = (holder.pid, holder.host);
                        self.note(format!(
                            "{name}: waits for process {pid} on {host}, which makes it for the remote"
                        ));
                    }
                    // Its maker may have died after the last byte.
                    return Ok(match self.pull(name, key) {
                        Some(Pulled::Whole(_) | Pulled::Here) if !is_forced => Claim::Came,
                        _ => Claim::Theirs,
                    });
                }
                Err(error) => {
                    self.cannot_lease(&error);
                    false
                }
            },
        };
        if is_forced {
            return Ok(Claim::Make(is_leased));
        }
        // Whoever had the lease before may have made it.
        let claim = match self.pull(name, key) {
            Some(Pulled::Whole(_) | Pulled::Here) => Claim::Came,
            Some(Pulled::Busy) => Claim::Theirs,
            Some(Pulled::Absent | Pulled::Outline(_)) | None => return Ok(Claim::Make(is_leased)),
        };
        if is_leased {
            self.release(key);
        }
        Ok(claim)
    }

    fn cannot_lease(&self, error: &RemoteError) {
        match error {
            RemoteError::Refused { .. } => self.sharing.desk.refuse(error),
            _ if !std::mem::replace(&mut self.state().is_told, true) => self.note(format!(
                "warning: no lease: {error}; nodes are made without, so that another machine may make them too"
            )),
            _ => log::warn!("{error}"),
        }
    }

    fn release(&self, key: &Key) {
        if let Err(error) = self.sharing.desk.leases.release(key, Instant::now()) {
            log::warn!("a lease lapses by itself: {error}");
        }
    }

    /// Gets an entry, if the remote has it; nothing if that fails, which people are told.
    fn pull(&self, name: &str, key: &Key) -> Option<Pulled> {
        match self.sharing.remote().pull(self.store, key) {
            Ok(pulled) => {
                self.sharing.count(key, &pulled);
                Some(pulled)
            }
            Err(error) => {
                if self.state().told.insert((*key, Word::Problem)) {
                    self.note(format!("warning: {name}: {error}"));
                }
                None
            }
        }
    }

    /// Asks for a step and for the logits that it may have to make; the keys whose leases it has then, or what the
    /// step has come to.
    fn claim_all(
        &self,
        name: &str,
        step: &Step,
        leases: &mut Vec<Key>,
    ) -> Result<Option<Attempt>, StepError> {
        let is_forced = matches!(step.action, Action::Run(Reason::Forced));
        match self.claim(name, &step.key, is_forced)? {
            Claim::Came => return Ok(Some(Attempt::Done(Done::Elsewhere))),
            Claim::Theirs => return Ok(Some(Attempt::Busy)),
            Claim::Make(is_leased) => leases.extend(is_leased.then_some(step.key)),
        }
        for key in stored_logits(self.graph, step) {
            if leases.contains(&key) || self.is_here(&key)? {
                continue;
            }
            match self.claim(name, &key, false)? {
                Claim::Came => {}
                Claim::Theirs => return Ok(Some(Attempt::Busy)),
                Claim::Make(is_leased) => leases.extend(is_leased.then_some(key)),
            }
        }
        Ok(None)
    }

    /// Gets what the step reads and the cache lacks. What the remote lacks, too, the step itself complains of.
    fn fetch_parents(&self, name: &str, step: &Step) -> Result<(), StepError> {
        for key in reads(self.graph, step, |key| self.is_here(key).unwrap_or(false)) {
            if !self.is_here(&key)? {
                self.pull(name, &key);
            }
        }
        Ok(())
    }

    /// What a step has left in the cache, in the order in which others may see it: what they would make anew when
    /// they see the step's own entry comes before that.
    fn made(&self, index: usize, step: &Step) -> Vec<Key> {
        let left = self.plan.steps.iter().filter(|other| other.left_by == Some(index));
        let left = left.map(|step| step.key);
        stored_logits(self.graph, step).into_iter().chain(left).chain([step.key]).collect()
    }
}

impl Runner for SharedRunner<'_> {
    fn run(
        &self,
        index: usize,
        step: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError> {
        let (name, now) = (self.graph.name(step.tasks[0]), Instant::now());
        if self.rests(&step.key, now) {
            return Ok(Attempt::Busy);
        }
        self.sharing.notes().into_iter().for_each(|note| self.note(note));
        let is_forced = matches!(step.action, Action::Run(Reason::Forced));
        let mut leases = Vec::new();
        let found = match !is_forced && self.is_here(&step.key)? {
            // Another step, or another process of this machine, has made it.
            true => None,
            false => self.claim_all(&name, step, &mut leases)?,
        };
        let attempt = match found {
            Some(attempt) => Ok(attempt),
            None => {
                self.fetch_parents(&name, step).and_then(|()| self.runner.run(index, step, begin))
            }
        };
        match attempt {
            Ok(Attempt::Done(done)) if found.is_none() => {
                let keys = self.made(index, step);
                self.sharing.desk.send(Parcel { name, keys, leases });
                Ok(Attempt::Done(done))
            }
            attempt => {
                leases.iter().for_each(|key| self.release(key));
                if let Ok(Attempt::Busy) = attempt {
                    self.defer(&step.key, now);
                }
                attempt
            }
        }
    }
}

/// The training or import that a step is, if it is one.
fn learn<'g>(graph: &'g Graph<'_>, step: &Step) -> Option<&'g Learn> {
    match &graph.pipeline.nodes[graph.tasks[step.tasks[0]].node].work {
        Work::Learn(learn) => Some(learn),
        Work::Eval(_) => None,
    }
}

/// The teachers' logits that a step reads in place of asking its teachers.
pub fn stored_logits(graph: &Graph<'_>, step: &Step) -> Vec<Key> {
    match learn(graph, step) {
        Some(learn) if !learn.asks_teachers() => {
            step.inputs.teacher_logits().iter().map(|inputs| inputs.key()).collect()
        }
        _ => Vec::new(),
    }
}

/// The entries whose content a step reads: stored logits where `is_known` says that they are, else the networks.
pub fn reads(graph: &Graph<'_>, step: &Step, is_known: impl Fn(&Key) -> bool) -> Vec<Key> {
    let logits = stored_logits(graph, step);
    if step.inputs.kind == Kind::Distill && !logits.is_empty() && logits.iter().all(is_known) {
        return logits;
    }
    match learn(graph, step).map(|learn| &learn.how) {
        Some(How::Import(_)) => Vec::new(),
        _ => step.inputs.parents.clone(),
    }
}
