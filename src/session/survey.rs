//! What the cache holds for a pipeline.

use crate::{
    executor::{Costs, Profile},
    graph::Graph,
    key::{Key, KeyInputs, keys},
    node::Pool,
    plan::{Known, Past, Plan},
    store::{Depth, Lookup, Manifest, Provenance, Store, StoreError, host},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A pipeline's keys, and which of them the cache holds.
pub struct Survey {
    /// Of each task, in the graph's order.
    pub keys: Vec<(KeyInputs, Key)>,
    /// For the plan.
    pub known: Known,
    /// Entries that must not be used, and why.
    pub damaged: BTreeMap<Key, String>,
    /// Seconds that the making of each present entry took.
    pub seconds: HashMap<Key, f64>,
    /// What the cache's entries took to make, where the plan has something to run.
    past: Vec<Spent>,
}

/// What an entry took to make.
struct Spent {
    inputs: KeyInputs,
    device: String,
    host: String,
    seconds: f64,
}

impl Survey {
    /// Looks every key of `graph` up in `store`.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry is none.
    pub fn new(graph: &Graph<'_>, store: &Store, depth: Depth) -> Result<Self, StoreError> {
        Self::with(graph, store, &(0..graph.tasks.len()).collect::<Vec<_>>(), |_| depth)
    }

    /// The same, where the entries of `closely` are looked at as `depth` says.
    pub(super) fn with(
        graph: &Graph<'_>,
        store: &Store,
        closely: &[usize],
        depth: impl Fn(&Key) -> Depth,
    ) -> Result<Self, StoreError> {
        let keys = keys(graph);
        let mut known = Known::default();
        let (mut damaged, mut seconds) = (BTreeMap::new(), HashMap::new());
        // Two tasks may have one key: it is looked at as closely as the first of them asks.
        let closely = closely.iter().map(|&task| (&keys[task].1, true));
        for (key, is_close) in closely.chain(keys.iter().map(|(_, key)| (key, false))) {
            if known.present.contains(key) || damaged.contains_key(key) {
                continue;
            }
            let depth = if is_close { depth(key) } else { Depth::Manifest };
            match store.find(key, depth)? {
                // Who needs it says why it cannot be made.
                Lookup::Missing | Lookup::OtherVersion(_) => {}
                Lookup::Whole(entry) => {
                    known.present.insert(*key);
                    seconds.insert(*key, entry.manifest.outcome.seconds());
                }
                Lookup::Damaged(problem) => {
                    damaged.insert(*key, problem);
                }
            }
        }
        // Reasons compare with other entries; where everything is present nobody asks for one.
        let mut past = Vec::new();
        if keys.iter().any(|(_, key)| !known.present.contains(key)) {
            (known.entries, past) = entries(store)?;
        }
        Ok(Self { keys, known, damaged, seconds, past })
    }

    /// Counts entries as present that are to be had from elsewhere.
    pub fn add(&mut self, there: impl IntoIterator<Item = Key>) {
        let there: HashSet<Key> = there.into_iter().collect();
        let found = self.keys.iter().map(|(_, key)| *key).filter(|key| there.contains(key));
        self.known.present.extend(found);
    }

    /// The plan for `targets` and what they need, of which `forced` run even if the cache has them.
    pub fn plan(&self, graph: &Graph<'_>, targets: &[usize], forced: &[usize]) -> Plan {
        Plan::new(graph, self.keys.clone(), &self.known, targets, forced)
    }

    /// What steps like these have cost on this host and on one of `devices`.
    pub fn costs(&self, graph: &Graph<'_>, devices: &Pool) -> Costs {
        let host = host();
        let is_one = |spent: &Spent| devices.each().iter().any(|one| one.name == spent.device);
        self.costs_of(graph, |spent| spent.host == host && is_one(spent))
    }

    /// The same on any device of this host, for who only plans.
    pub fn costs_here(&self, graph: &Graph<'_>) -> Costs {
        let host = host();
        self.costs_of(graph, |spent| spent.host == host)
    }

    /// The same on any host, for a cluster, whose nodes are many.
    pub(super) fn costs_anywhere(&self, graph: &Graph<'_>) -> Costs {
        self.costs_of(graph, |_| true)
    }

    fn costs_of(&self, graph: &Graph<'_>, counts: impl Fn(&Spent) -> bool) -> Costs {
        let mut costs = Costs::default();
        for spent in self.past.iter().filter(|spent| counts(spent)) {
            let nets = spent.inputs.nets().iter();
            let nets = nets.filter_map(|net| net.architecture(&graph.pipeline.kinds).ok());
            let forward = nets.map(|net| net.multiply_adds() as f64).sum();
            costs.add(&Profile::new(&spent.inputs, forward), spent.seconds);
        }
        costs
    }
}

/// Every entry in the cache, the newest last, and what each took.
fn entries(store: &Store) -> Result<(Vec<Past>, Vec<Spent>), StoreError> {
    let (mut found, mut spent) = (Vec::new(), Vec::new());
    for key in store.keys()? {
        let looked = store.find(&key, Depth::Manifest).unwrap_or_else(|error| {
            // It would only have explained something: what it is to a plan is looked up by itself.
            log::warn!("{error}");
            Lookup::Missing
        });
        if let Lookup::Whole(entry) = looked {
            let Manifest { inputs, provenance, outcome, files: _ } = entry.manifest;
            let Provenance { device, host, finished, node, .. } = provenance;
            spent.push(Spent { inputs: inputs.clone(), device, host, seconds: outcome.seconds() });
            found.push((finished, Past { inputs, task: node }));
        }
    }
    found.sort_by_key(|(finished, _)| *finished);
    Ok((found.into_iter().map(|(_, past)| past).collect(), spent))
}
