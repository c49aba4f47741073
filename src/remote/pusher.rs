//! Pushing in the background: what a run makes goes up while it makes the next.

use super::{Clock, Leases, Pushed, Remote, RemoteError, Shipped};
use crate::{key::Key, store::Store};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Entries to push, in this order, and the leases that end with it.
pub(super) struct Parcel {
    /// What it is for people: the step's name.
    pub name: String,
    pub keys: Vec<Key>,
    pub leases: Vec<Key>,
}

/// What a run and its threads share.
pub(super) struct Desk {
    pub remote: Arc<Remote>,
    pub store: Store,
    pub leases: Leases,
    pub clock: Clock,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: VecDeque<Parcel>,
    /// Those for which the remote could not be reached: they are tried again once it was reached for another.
    failed: Vec<Parcel>,
    /// Entries that the remote has in a way that is wrong.
    lost: usize,
    /// Entries that came from the remote or have gone there.
    known: HashSet<Key>,
    /// Whether one is under way.
    is_working: bool,
    is_closing: bool,
    is_over: bool,
    /// Whether the remote is known to refuse what is put.
    is_read_only: bool,
    shipped: Shipped,
    /// Lines for people that nobody has been told yet.
    notes: Vec<String>,
    /// Why the last parcel could not be pushed.
    problem: Option<String>,
}

impl Desk {
    pub fn new(remote: Arc<Remote>, store: Store, leases: Leases, clock: Clock) -> Self {
        Self { remote, store, leases, clock, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic elsewhere has left is whole: each change is one call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line for people; told when somebody asks.
    pub fn note(&self, text: String) {
        self.state().notes.push(text);
    }

    /// The lines that nobody has been told yet.
    pub fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().notes)
    }

    pub fn is_read_only(&self) -> bool {
        self.state().is_read_only
    }

    /// Takes down that the remote refuses what is put; said once.
    pub fn refuse(&self, problem: &RemoteError) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.is_read_only, true) {
            state.notes.push(format!(
                "note: the remote can only be read: {problem}; what is made stays in the cache"
            ));
        }
    }

    /// Counts what came: a whole entry, or an outline.
    pub fn pulled(&self, entry: Option<Key>, bytes: u64) {
        let mut state = self.state();
        state.shipped.pulled += usize::from(entry.is_some());
        state.shipped.pulled_bytes += bytes;
        state.known.extend(entry);
    }

    /// Takes a parcel to push.
    pub fn send(&self, parcel: Parcel) {
        self.state().open.push_back(parcel);
        self.changed.notify_all();
    }

    /// Parcels that are not pushed yet.
    pub fn pending(&self) -> usize {
        let state = self.state();
        state.open.len() + usize::from(state.is_working)
    }

    /// No more parcels come, or, where they are `abandoned`, none is wanted any more.
    pub fn close(&self, is_abandoned: bool) {
        let mut state = self.state();
        state.is_closing = true;
        if is_abandoned {
            let open = std::mem::take(&mut state.open);
            state.failed.extend(open);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until the pusher has ended, for so long at most; whether it has.
    pub fn wait(&self, time: Duration) -> bool {
        let state = self.state();
        if state.is_over {
            return true;
        }
        let waited = self.changed.wait_timeout(state, time);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    /// What has gone and come, and what could not go.
    pub fn shipped(&self) -> Shipped {
        let state = self.state();
        let left = state.failed.iter().chain(&state.open).map(|parcel| parcel.keys.len());
        let left = if state.is_read_only { 0 } else { left.sum::<usize>() + state.lost };
        Shipped { left, problem: state.problem.clone(), ..state.shipped.clone() }
    }

    /// Pushes until it is closed: the work of a thread.
    pub fn push_all(&self) {
        while let Some(parcel) = self.next() {
            self.push_one(parcel);
        }
        self.state().is_over = true;
        self.changed.notify_all();
    }

    /// Pushes what has been sent so far, in this thread.
    pub fn push_open(&self) {
        loop {
            let parcel = self.state().open.pop_front();
            let Some(parcel) = parcel else { return };
            self.push_one(parcel);
        }
    }

    fn push_one(&self, parcel: Parcel) {
        let pushed = self.push(&parcel);
        for key in &parcel.leases {
            if let Err(error) = self.leases.release(key, (self.clock)()) {
                log::warn!("a lease lapses by itself: {error}");
            }
        }
        let mut state = self.state();
        state.is_working = false;
        match pushed {
            Ok(()) => {
                // The way is free again.
                let failed = std::mem::take(&mut state.failed);
                state.open.extend(failed);
                state.problem = None;
            }
            Err(error @ RemoteError::Failed { .. }) => {
                let parcel = Parcel { leases: Vec::new(), ..parcel };
                if state.problem.is_none() {
                    let note = format!("warning: {}: not pushed yet: {error}", parcel.name);
                    state.notes.push(note);
                }
                state.problem = Some(error.to_string());
                state.failed.push(parcel);
                if state.is_closing {
                    // Each would wait as long as this one has.
                    let open = std::mem::take(&mut state.open);
                    state.failed.extend(open);
                }
            }
            Err(error) => {
                state.lost += 1;
                state.notes.push(format!("warning: {}: not pushed: {error}", parcel.name));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Parcel> {
        let mut state = self.state();
        loop {
            if let Some(parcel) = state.open.pop_front() {
                state.is_working = true;
                return Some(parcel);
            }
            if state.is_closing {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, parcel: &Parcel) -> Result<(), RemoteError> {
        if self.is_read_only() {
            return Ok(());
        }
        for key in &parcel.keys {
            if self.state().known.contains(key) {
                continue;
            }
            let pushed = match self.remote.push(&self.store, key) {
                Err(error @ RemoteError::Refused { .. }) => {
                    self.refuse(&error);
                    return Ok(());
                }
                pushed => pushed?,
            };
            let mut state = self.state();
            state.known.insert(*key);
            match pushed {
                Pushed::New(bytes) => {
                    state.shipped.pushed += 1;
                    state.shipped.pushed_bytes += bytes;
                }
                Pushed::Equal => state.shipped.equal += 1,
                Pushed::Other(differing) => {
                    let (name, what) = (&parcel.name, differing.sentence());
                    state.shipped.differing += 1;
                    state.notes.push(format!("warning: {name}: the remote's entry {what}"));
                }
                Pushed::Gone => {
                    state.known.remove(key);
                }
            }
        }
        Ok(())
    }
}
