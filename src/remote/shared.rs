//! Running steps that several machines share: each is made by the one that has its lease.

use super::{
    Beside, Pulled, RemoteError, Sharing, Taken,
    beside::reads,
    others::{Others, Word},
    pusher::Parcel,
};
use crate::{
    executor::{Attempt, Done, Event, Observer, Pause, Runner, Share, StepError},
    graph::Graph,
    key::Key,
    plan::{Action, Reason, Step},
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
    beside: &'a Beside,
    observer: &'a dyn Observer,
    state: Mutex<State>,
}

struct State {
    /// Since when each key that others make is waited for.
    waits: HashMap<Key, Instant>,
    /// What people were told of keys: who makes them, or why they do not come.
    told: HashSet<(Key, Told)>,
    /// Whether people were told that leases cannot be taken.
    is_told: bool,
    others: Others,
}

/// What is told of a key once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
    Holder,
    Problem,
}

/// Times between two looks at a step that another machine makes, the first and the longest.
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
    /// Shares the steps of a plan, which `runner` runs.
    pub fn new(
        sharing: &'a Sharing,
        runner: &'a dyn Runner,
        store: &'a Store,
        (graph, beside): (&'a Graph<'a>, &'a Beside),
        observer: &'a dyn Observer,
    ) -> Self {
        let state = Mutex::new(State {
            waits: HashMap::new(),
            told: HashSet::new(),
            is_told: false,
            others: Others::new(beside.places()),
        });
        Self { sharing, runner, store, graph, beside, observer, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, text: String) {
        self.observer.event(&Event::Note(text));
    }

    /// Another machine has made a key, as asking for it has found.
    fn met(&self, key: &Key) -> Claim {
        self.state().others.meet_made(key);
        Claim::Came
    }

    /// What is known of a key of others', after lists where these are due. Where a list fails keys are asked for one by
    /// one.
    fn look(&self, key: &Key) -> Word {
        let (now, remote) = (self.sharing.now(), self.sharing.remote());
        let mut state = self.state();
        if state.others.wants_entries(now) {
            drop(state);
            let there = remote.keys();
            state = self.state();
            match there {
                Ok(there) => state.others.list_entries(&there, self.sharing.now()),
                Err(error) => {
                    log::warn!("{error}");
                    state.others.fail_to_list(self.sharing.now());
                }
            }
        }
        if state.others.wants_leases(state.others.say(key, now), now) {
            drop(state);
            let leased = remote.leased();
            state = self.state();
            match leased {
                Ok(mut leased) => {
                    let leases = &self.sharing.desk.leases;
                    leased.retain(|key, _| !leases.holds(key));
                    let now = self.sharing.now();
                    let open = leases.list(&leased, now);
                    state.others.list_leases(leased.keys(), &open, now);
                }
                Err(error) => {
                    log::warn!("{error}");
                    state.others.fail_to_list(self.sharing.now());
                }
            }
        }
        state.others.say(key, self.sharing.now())
    }

    fn is_here(&self, key: &Key) -> Result<bool, StepError> {
        Ok(matches!(self.store.find(key, Depth::Manifest)?, Lookup::Whole(_)))
    }

    /// Another machine makes a step's key, or the one `behind` which it waits: after how long to look again.
    fn defer(&self, key: &Key, behind: Option<Key>) -> Attempt {
        let now = self.sharing.now();
        let since = *self.state().waits.entry(behind.unwrap_or(*key)).or_insert(now);
        // Each pause half as long again as the one before: so long are they after what they come to.
        let time = (SOON + now.saturating_duration_since(since) / 2).min(LATE);
        Attempt::Busy(Pause { time, behind })
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
        // Whoever asks has looked already, where lists were due. Inputs are many steps': most find them there, and each
        // that took their lease for a moment first would make all others wait.
        let may_be_there = !is_forced && (is_input || self.state().others.may_be_made(key));
        if may_be_there && self.pull(name, key, is_input).is_some_and(Pulled::is_there) {
            return Ok(self.met(key));
        }
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
                        Some(pulled) if !is_forced && pulled.is_there() => self.met(key),
                        _ => {
                            self.state().others.meet_making(key, self.sharing.now());
                            Claim::Theirs
                        }
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
            Some(pulled) if pulled.is_there() => self.met(key),
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
        (index, step): (usize, &Step),
        leases: &mut Vec<Key>,
    ) -> Result<Option<Attempt>, StepError> {
        let is_forced = matches!(step.action, Action::Run(Reason::Forced));
        match self.claim(name, &step.key, is_forced, false)? {
            Claim::Came => return Ok(Some(Attempt::Done(Done::Elsewhere))),
            Claim::Theirs => return Ok(Some(Attempt::Busy(SOON.into()))),
            Claim::Make(is_leased) => leases.extend(is_leased.then_some(step.key)),
        }
        for key in self.beside.logits(index) {
            if leases.contains(key) || self.is_here(key)? {
                continue;
            }
            match self.claim(name, key, false, true)? {
                Claim::Came => {}
                Claim::Theirs => {
                    return Ok(Some(Attempt::Busy(Pause { time: SOON, behind: Some(*key) })));
                }
                Claim::Make(is_leased) => leases.extend(is_leased.then_some(*key)),
            }
        }
        Ok(None)
    }

    /// Logits that the step reads and another machine makes. While it does, all students of that teacher come here: the
    /// disk is asked last.
    fn logits_of_others(&self, index: usize) -> Result<Option<Key>, StepError> {
        for key in self.beside.logits(index) {
            match self.look(key) {
                Word::Making => return Ok(Some(*key)),
                Word::Stale if !self.is_here(key)? => return Ok(Some(*key)),
                Word::Stale | Word::Made | Word::Unknown => {}
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
}

impl Runner for SharedRunner<'_> {
    fn run(
        &self,
        index: usize,
        step: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError> {
        self.sharing.notes().into_iter().for_each(|note| self.note(note));
        let is_forced = matches!(step.action, Action::Run(Reason::Forced));
        let word = if is_forced { Word::Unknown } else { self.look(&step.key) };
        // What each of many machines does at each of very many steps: it asks nobody, not the disk either.
        if word == Word::Made {
            self.state().waits.remove(&step.key);
            return Ok(Attempt::Done(Done::Elsewhere));
        }
        if word == Word::Making {
            return Ok(self.defer(&step.key, None));
        }
        if word == Word::Unknown
            && let Some(logits) = self.logits_of_others(index)?
        {
            return Ok(self.defer(&step.key, Some(logits)));
        }
        let (name, mut leases) = (self.graph.name(step.tasks[0]), Vec::new());
        let found = match word {
            // Another step, or another process of this machine, has made it.
            _ if !is_forced && self.is_here(&step.key)? => None,
            Word::Stale => Some(Attempt::Busy(SOON.into())),
            _ => self.claim_all(&name, (index, step), &mut leases)?,
        };
        let attempt = match found {
            Some(attempt) => Ok(attempt),
            None => {
                self.fetch_parents(&name, step).and_then(|()| self.runner.run(index, step, begin))
            }
        };
        match attempt {
            Ok(Attempt::Done(done)) if found.is_none() => {
                let keys = self.beside.made(index, step);
                self.sharing.desk.send(Parcel { name, keys, leases });
                Ok(Attempt::Done(done))
            }
            attempt => {
                leases.iter().for_each(|key| self.release(key));
                match attempt {
                    Ok(Attempt::Busy(pause)) => Ok(self.defer(&step.key, pause.behind)),
                    attempt => attempt,
                }
            }
        }
    }
}
