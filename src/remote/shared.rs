//! Running steps that several machines share: each is made by the one that has its lease.

use super::{
    Pulled, RemoteError, Sharing, Taken,
    listed::{Listed, Word},
    pusher::Parcel,
};
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

/// A runner whose steps are shared with other machines. What others make stays where it is: only what a step that runs
/// here reads comes into the cache.
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
    told: HashSet<(Key, Told)>,
    /// Whether people were told that leases cannot be taken.
    is_told: bool,
    listed: Listed,
    /// What others have made, as far as it was met.
    elsewhere: HashSet<Key>,
}

/// What is told of a key once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
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

    /// Keys of steps that others have made, as far as they were met.
    pub fn elsewhere(&self) -> HashSet<Key> {
        self.state().elsewhere.clone()
    }

    /// A step that another machine has made.
    fn came(&self, key: &Key) -> Attempt {
        self.state().elsewhere.insert(*key);
        Attempt::Done(Done::Elsewhere)
    }

    /// Lists the remote where asking key by key has met others' work so often that a list costs less.
    fn list(&self, now: Instant) {
        let mut state = self.state();
        if !state.listed.is_due(now) {
            return;
        }
        // Whoever fails to list asks key by key; the time counts all the same.
        state.listed = Listed { at: Some(now), ..Listed::default() };
        let remote = self.sharing.remote();
        match remote.leased().and_then(|leased| Ok((leased, remote.keys()?))) {
            Ok((leased, made)) => (state.listed.leased, state.listed.made) = (leased, made),
            Err(error) => log::warn!("{error}"),
        }
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

    /// Asks for a key: takes its lease, or its entry where that is there; all of it if it is an input of what is made
    /// here.
    fn claim(
        &self,
        name: &str,
        key: &Key,
        is_forced: bool,
        is_input: bool,
    ) -> Result<Claim, StepError> {
        let desk = &self.sharing.desk;
        let is_leased = match desk.is_read_only() {
            true => false,
            false => match desk.leases.take(key, self.sharing.now()) {
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
                    let is_new = || self.state().told.insert((*key, Told::Holder));
                    if let Some(holder) = holder.filter(|_| is_new()) {
                        let (pid, host) = (holder.pid, holder.host);
                        self.note(format!(
                            "{name}: waits for process {pid} on {host}, which makes it for the remote"
                        ));
                    }
                    // Its maker may have died after the last byte.
                    return Ok(match self.pull(name, key, is_input) {
                        Some(pulled) if !is_forced && pulled.is_there() => Claim::Came,
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
        let claim = match self.pull(name, key, is_input) {
            Some(pulled) if pulled.is_there() => Claim::Came,
            Some(Pulled::Busy) => Claim::Theirs,
            _ => return Ok(Claim::Make(is_leased)),
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
        if let Err(error) = self.sharing.desk.leases.release(key, self.sharing.now()) {
            log::warn!("a lease lapses by itself: {error}");
        }
    }

    /// Gets an entry, or what tables need of it, if the remote has it; nothing if that fails, which people are told.
    fn pull(&self, name: &str, key: &Key, is_input: bool) -> Option<Pulled> {
        let remote = self.sharing.remote();
        let pulled = match is_input {
            true => remote.pull(self.store, key),
            false => remote.pull_outline(self.store, key),
        };
        match pulled {
            Ok(pulled) => {
                self.sharing.count(key, &pulled);
                Some(pulled)
            }
            Err(error) => {
                if self.state().told.insert((*key, Told::Problem)) {
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
        match self.claim(name, &step.key, is_forced, false)? {
            Claim::Came => return Ok(Some(self.came(&step.key))),
            Claim::Theirs => return Ok(Some(Attempt::Busy)),
            Claim::Make(is_leased) => leases.extend(is_leased.then_some(step.key)),
        }
        for key in stored_logits(self.graph, step) {
            if leases.contains(&key) || self.is_here(&key)? {
                continue;
            }
            match self.claim(name, &key, false, true)? {
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
                self.pull(name, &key, true);
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
        let (name, now) = (self.graph.name(step.tasks[0]), self.sharing.now());
        if self.rests(&step.key, now) {
            return Ok(Attempt::Busy);
        }
        self.sharing.notes().into_iter().for_each(|note| self.note(note));
        let is_forced = matches!(step.action, Action::Run(Reason::Forced));
        let mut leases = Vec::new();
        let found = match !is_forced && self.is_here(&step.key)? {
            // Another step, or another process of this machine, has made it.
            true => None,
            false => {
                self.list(now);
                let listed = self.state().listed.says(&step.key, now);
                match listed {
                    Some(Word::Made) if !is_forced => Some(self.came(&step.key)),
                    Some(Word::Leased) => Some(Attempt::Busy),
                    _ => self.claim_all(&name, step, &mut leases)?,
                }
            }
        };
        if found.is_some() {
            self.state().listed.in_vain += 1;
        }
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
