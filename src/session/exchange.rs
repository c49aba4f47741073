//! A run's exchange with a remote: what it has before anything is planned, what comes before anything runs, and what
//! is said of it at the end.

use super::{Selection, Survey, Watcher};
use crate::{
    executor::{Done, Status},
    graph::Graph,
    key::{Key, KeyInputs, Kind},
    plan::{Action, Plan, Step},
    remote::{
        LeaseTimes, Pulled, Remote, RemoteError, Sharing, Shipped, reads, stored_logits, transfer,
    },
    store::{Depth, Lookup, Store},
};
use std::{
    collections::HashSet,
    sync::{Arc, atomic::AtomicBool},
};

/// What a run knows of a remote.
pub(super) struct Exchange {
    remote: Arc<Remote>,
    pub sharing: Sharing,
    /// Keys of the remote's entries, as far as they can be used.
    there: HashSet<Key>,
    /// Keys of which is known here what tables need.
    outlined: HashSet<Key>,
    /// Keys that were offered to it.
    offered: HashSet<Key>,
    stop: Arc<AtomicBool>,
}

impl Exchange {
    /// Lists the remote, if the run has one.
    pub fn begin(
        remote: Option<&Arc<Remote>>,
        stop: &Arc<AtomicBool>,
        store: &Store,
        watcher: &dyn Watcher,
    ) -> Result<Option<Self>, RemoteError> {
        let Some(remote) = remote.cloned() else { return Ok(None) };
        if let (_, Some(refusal)) = store.enter() {
            let name = remote.name();
            watcher
                .note(&format!("note: {name} is not used, since nothing can come here: {refusal}"));
            return Ok(None);
        }
        let there = remote.keys()?;
        let begun = Sharing::begin(remote.clone(), store, LeaseTimes::default());
        let sharing = begun.map_err(|error| {
            let (name, problem) = (remote.name().to_owned(), format!("no thread: {error}"));
            RemoteError::Setup { name, problem }
        })?;
        let (outlined, offered) = (HashSet::new(), HashSet::new());
        Ok(Some(Self { remote, sharing, there, outlined, offered, stop: stop.clone() }))
    }

    /// Gets what tables need of the entries that the remote has and the cache lacks: measurements whole, first, then
    /// what is small of the rest. Weights stay there.
    pub fn outline(
        &mut self,
        keys: &[(KeyInputs, Key)],
        store: &Store,
        watcher: &dyn Watcher,
    ) -> Result<(), RemoteError> {
        let mut wanted = Vec::new();
        for (inputs, key) in keys {
            let is_new = self.there.contains(key) && self.outlined.insert(*key);
            if is_new && matches!(store.known(key)?, Lookup::Missing) {
                wanted.push((inputs.kind != Kind::Eval, *key));
            }
        }
        wanted.sort_unstable();
        let wanted: Vec<Key> = wanted.into_iter().map(|(_, key)| key).collect();
        let remote = self.remote.clone();
        let pull = |key: &Key| remote.pull_outline(store, key);
        self.get(&wanted, &pull, watcher).map(|_| ())
    }

    /// Adds what the remote has to what is known to be present.
    pub fn add_to(&self, survey: &mut Survey) {
        survey.add(self.there.iter().copied());
    }

    /// Gets what a plan's steps read and the cache lacks; and what is asked for by name, or damaged here. Whether
    /// anything turned out not to be usable, so that the plan is another.
    pub fn fetch(
        &mut self,
        (graph, plan): (&Graph<'_>, &Plan),
        (store, here): (&Store, &HashSet<Key>),
        survey: &mut Survey,
        selection: &Selection,
        watcher: &dyn Watcher,
    ) -> Result<bool, RemoteError> {
        let is_here = |key: &Key| here.contains(key) || is_whole(store, key);
        let named = names(graph, selection);
        let mut wanted = HashSet::new();
        for step in &plan.steps {
            match &step.action {
                Action::Run(_) => {
                    wanted
                        .extend(reads(graph, step, |key| self.there.contains(key) || is_here(key)));
                }
                Action::Reuse => {
                    let is_named = step.tasks.iter().any(|task| named.contains(task));
                    let is_damaged = survey.damaged.contains_key(&step.key);
                    wanted.extend((is_named || is_damaged).then_some(step.key));
                }
                Action::Skip => {}
            }
        }
        let is_wanted = |key: &Key| {
            self.there.contains(key) && (survey.damaged.contains_key(key) || !is_here(key))
        };
        let mut open: Vec<Key> = wanted.into_iter().filter(is_wanted).collect();
        open.sort_unstable();
        let remote = self.remote.clone();
        let pull = |key: &Key| remote.pull(store, key);
        let unusable = self.get(&open, &pull, watcher)?;
        for key in &open {
            if !unusable.contains(key) {
                survey.damaged.remove(key);
            }
        }
        unusable.iter().filter(|key| !here.contains(*key)).for_each(|key| {
            survey.known.present.remove(key);
        });
        Ok(!unusable.is_empty())
    }

    /// Gets entries side by side; the keys of those that turned out not to be usable, which people are told.
    fn get(
        &mut self,
        keys: &[Key],
        pull: &(dyn Fn(&Key) -> Result<Pulled, RemoteError> + Sync),
        watcher: &dyn Watcher,
    ) -> Result<HashSet<Key>, RemoteError> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let count = keys.len();
        let ies = if count == 1 { "y" } else { "ies" };
        watcher.note(&format!("pulling {count} entr{ies} from {}", self.remote.name()));
        let moved = transfer(keys, &self.stop, pull, &mut |_| {});
        moved.done.iter().for_each(|(key, pulled)| self.sharing.count(key, pulled));
        let mut unusable: HashSet<Key> =
            moved.done.iter().filter(|(_, p)| **p == Pulled::Absent).map(|(key, _)| *key).collect();
        for (key, error) in moved.failed {
            match error {
                RemoteError::Wrong { .. } => {
                    watcher.note(&format!("warning: {error}; it is made again where it is needed"));
                    unusable.insert(key);
                }
                error => return Err(error),
            }
        }
        self.there.retain(|key| !unusable.contains(key));
        Ok(unusable)
    }

    /// Gets what tables need of the entries that others have made meanwhile, and all of those that are asked for by
    /// name.
    pub fn gather(
        &mut self,
        statuses: &[Status],
        (graph, plan, selection): (&Graph<'_>, &Plan, &Selection),
        store: &Store,
        watcher: &dyn Watcher,
    ) {
        let named = names(graph, selection);
        let is_named = |step: &Step| step.tasks.iter().any(|task| named.contains(task));
        let came = |status: &Status| matches!(status, Status::Done(Done::Elsewhere));
        let steps = plan.steps.iter().zip(statuses);
        let theirs: Vec<&Step> =
            steps.filter(|(_, status)| came(status)).map(|(step, _)| step).collect();
        self.there.extend(theirs.iter().map(|step| step.key));
        let wanted = theirs.iter().filter(|step| is_named(step) && !is_whole(store, &step.key));
        let wanted: Vec<Key> = wanted.map(|step| step.key).collect();
        let rest: Vec<_> = theirs.iter().map(|step| (step.inputs.clone(), step.key)).collect();
        let remote = self.remote.clone();
        let got = self.get(&wanted, &|key| remote.pull(store, key), watcher);
        // What was made here is safe, and so is what was made there.
        if let Err(error) = got.and_then(|_| self.outline(&rest, store, watcher)) {
            watcher.note(&format!(
                "warning: {error}; other machines have made the rest, and the same command gets it"
            ));
        }
    }

    /// Pushes what the cache has of a plan and the remote lacks, in the background: what an earlier run did not come
    /// to push.
    pub fn offer(
        &mut self,
        graph: &Graph<'_>,
        plan: &Plan,
        here: &HashSet<Key>,
        store: &Store,
    ) -> Result<(), RemoteError> {
        for step in &plan.steps {
            if step.action != Action::Reuse {
                continue;
            }
            let mut keys = Vec::new();
            for key in stored_logits(graph, step) {
                let lacks = !self.there.contains(&key) && self.offered.insert(key);
                if lacks && matches!(store.find(&key, Depth::Manifest)?, Lookup::Whole(_)) {
                    keys.push(key);
                }
            }
            let lacks = here.contains(&step.key) && !self.there.contains(&step.key);
            keys.extend((lacks && self.offered.insert(step.key)).then_some(step.key));
            if !keys.is_empty() {
                self.sharing.push(step.name(graph), keys);
            }
        }
        Ok(())
    }

    /// Pushes what a cluster's jobs made, in the background.
    pub fn offer_made(&mut self, graph: &Graph<'_>, plan: &Plan, statuses: &[Status]) {
        for (step, _) in
            plan.steps.iter().zip(statuses).filter(|(_, s)| matches!(s, Status::Done(_)))
        {
            let keys = stored_logits(graph, step).into_iter().chain([step.key]);
            self.sharing.push(step.name(graph), keys.collect());
        }
    }

    /// Waits for what is still to be pushed, and says what became of all.
    pub fn end(self, watcher: &dyn Watcher) -> Shipped {
        let (name, pending) = (self.remote.name().to_owned(), self.sharing.pending());
        if pending > 0 {
            let what = if pending == 1 { "node" } else { "nodes" };
            watcher.note(&format!("pushing what {pending} {what} made to {name}"));
        }
        let shipped = self.sharing.end(&self.stop, &mut |text| watcher.note(text));
        if shipped.left > 0 {
            let entries = if shipped.left == 1 { "entry was" } else { "entries were" };
            let why = shipped.problem.as_ref().map(|problem| format!(" ({problem})"));
            watcher.note(&format!(
                "warning: {} {entries} not pushed{}; nothing is lost: `takd cache push FILE --remote {name}` pushes \
                 what the cache has",
                shipped.left,
                why.unwrap_or_default(),
            ));
        }
        shipped
    }
}

/// The tasks that are asked for by name. A name that is not decided yet means nothing that is there.
fn names(graph: &Graph<'_>, selection: &Selection) -> HashSet<usize> {
    graph.select(&selection.nodes).unwrap_or_default().into_iter().collect()
}

/// Whether the cache has an entry.
fn is_whole(store: &Store, key: &Key) -> bool {
    store.find(key, Depth::Manifest).is_ok_and(|found| matches!(found, Lookup::Whole(_)))
}
