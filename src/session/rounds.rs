//! Searches and choices in a session: what the cache tells of their trials, and what they ask for next.

use super::{OpenError, Opening, Selection, Session, opening::Probed};
use crate::{
    dataset::Format,
    executor::Status,
    graph::{Graph, SelectError},
    key::{Key, KeyInputs, keys_for},
    metric::Metric,
    node::Datasets,
    search::{Score, Told},
    store::{Lookup, Outcome, Store, StoreError},
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the rounds of one run have in common: each reads, checks and says what none before it has.
#[derive(Default)]
pub(super) struct Shared {
    pub datasets: Datasets,
    /// Data sets whose notes are told, and whose images are decoded.
    pub inspected: BTreeSet<Format>,
    /// Entries whose content was as their digests say.
    pub whole: HashSet<Key>,
    /// What became of steps that were made.
    pub made: HashMap<Key, Status>,
}

/// What a pipeline is read from again when more is known of its searches.
pub(super) struct Source {
    opening: Opening,
    text: String,
    told: Told,
    /// Whether trials that are over are left out of what was read last.
    open_only: bool,
    probed: Probed,
}

impl Session {
    /// The same, whose searches are decided by what the cache has.
    pub(super) fn reading(
        mut self,
        opening: Opening,
        text: String,
        probed: Probed,
    ) -> Result<Self, OpenError> {
        if !self.pipeline.asks.is_empty() {
            self.source =
                Some(Source { opening, text, told: Told::default(), open_only: false, probed });
            self.settle(true)?;
        }
        Ok(self)
    }

    /// Reads the pipeline again with what the cache tells of its searches, until that tells nothing more;
    /// whether it told anything. Meanwhile, and while anything is open unless `whole` is asked for, trials
    /// that are over are left out: a search of a thousand does not read all of them a hundred times.
    pub(super) fn settle(&mut self, whole: bool) -> Result<bool, OpenError> {
        let mut settled = false;
        while let Some(source) = &self.source {
            let new = ask(&self.graph(), &self.store, &source.told)?;
            let mut told = source.told.clone();
            let open_only = !new.is_empty();
            if !open_only && (!source.open_only || !(whole || self.pipeline.asks.is_empty())) {
                break;
            }
            settled |= open_only;
            for (eval, seed, score) in new {
                told.add(&eval, seed, score);
            }
            let Source { opening, text, probed, .. } = source;
            self.pipeline = opening.parse_with(text.clone(), &told, open_only, probed)?;
            if let Some(source) = &mut self.source {
                (source.told, source.open_only) = (told, open_only);
            }
        }
        Ok(settled)
    }

    /// Tasks that are meant, and those of them that are forced; with them all that open searches ask
    /// for, if the selection means them.
    pub(super) fn targets(
        &self,
        graph: &Graph<'_>,
        selection: &Selection,
    ) -> Result<(Vec<usize>, Vec<usize>), SelectError> {
        let asked = self.asked(graph, selection);
        let known = match asked.is_empty() {
            true => selection.clone(),
            false => self.known(selection),
        };
        let only_pending = known.nodes.is_empty() && !selection.nodes.is_empty();
        let (mut targets, forced) = match only_pending {
            true => (Vec::new(), graph.select(&known.force)?),
            false => known.tasks(graph)?,
        };
        targets.extend(asked);
        Ok((targets, forced))
    }

    /// The tasks whose results decide what open searches do next, if the selection means any of them.
    pub(super) fn asked(&self, graph: &Graph<'_>, selection: &Selection) -> Vec<usize> {
        let meant = selection.nodes.is_empty()
            || selection.nodes.iter().any(|pattern| self.is_pending(pattern));
        if !meant {
            return Vec::new();
        }
        let places = places(graph);
        let asks = self.pipeline.asks.iter();
        let asks = asks.filter_map(|ask| Some((*places.get(&*ask.eval)?, &ask.seeds)));
        asks.flat_map(|(node, seeds)| seeds.iter().filter_map(move |&seed| graph.task(node, seed)))
            .collect()
    }

    /// Whether a NODE argument means a node that is not decided yet.
    fn is_pending(&self, pattern: &str) -> bool {
        let node = pattern.split_once('@').map_or(pattern, |(node, _)| node);
        let pattern = glob::Pattern::new(node);
        pattern.is_ok_and(|pattern| self.pipeline.pending.iter().any(|name| pattern.matches(name)))
    }

    /// The selection without what is not decided yet.
    fn known(&self, selection: &Selection) -> Selection {
        let graph = self.graph();
        let known = |patterns: &[String]| {
            let patterns = patterns.iter().filter(|pattern| {
                !self.is_pending(pattern) || graph.select(&[(*pattern).clone()]).is_ok()
            });
            patterns.cloned().collect()
        };
        Selection { nodes: known(&selection.nodes), force: known(&selection.force) }
    }
}

/// Indices of nodes by their names.
fn places<'a>(graph: &Graph<'a>) -> HashMap<&'a str, usize> {
    let nodes = graph.pipeline.nodes.iter().enumerate();
    nodes.map(|(index, node)| (&*node.name, index)).collect()
}

/// What the cache tells of the measurements that searches ask for.
fn ask(
    graph: &Graph<'_>,
    store: &Store,
    told: &Told,
) -> Result<Vec<(String, u64, Score)>, StoreError> {
    let mut new = Vec::new();
    if graph.pipeline.asks.is_empty() {
        return Ok(new);
    }
    let places = places(graph);
    let mut tasks = Vec::new();
    for ask in &graph.pipeline.asks {
        let Some(&node) = places.get(&*ask.eval) else { continue };
        let open = ask.seeds.iter().filter(|&&seed| told.score(&ask.eval, seed).is_none());
        tasks.extend(open.filter_map(|&seed| Some((ask, graph.task(node, seed)?))));
    }
    let keys = keys_for(graph, &tasks.iter().map(|(_, task)| *task).collect::<Vec<_>>());
    for (ask, task) in tasks {
        if let Some(score) = score(graph, store, &keys, task, ask.metric)? {
            new.push((ask.eval.clone(), graph.tasks[task].seed, score));
        }
    }
    Ok(new)
}

/// What a measurement has scored, if it is made or can never be.
fn score(
    graph: &Graph<'_>,
    store: &Store,
    keys: &HashMap<usize, (KeyInputs, Key)>,
    task: usize,
    metric: &Metric,
) -> Result<Option<Score>, StoreError> {
    let outcome = |task: usize| {
        let found = store.known(&keys[&task].1)?;
        Ok(match found {
            Lookup::Whole(entry) => Some(entry.manifest.outcome),
            Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => None,
        })
    };
    if let Some(Outcome::Metrics { metrics, .. }) = outcome(task)? {
        let parent = graph.dag.parents(task).first();
        let trained = parent.map(|&parent| outcome(parent)).transpose()?.flatten();
        let seconds = trained.map_or(0.0, |outcome: Outcome| outcome.seconds());
        return Ok(metrics.get(metric.name).map(|value| Score::Is(value, seconds)));
    }
    let mut open = vec![task];
    while let Some(task) = open.pop() {
        let diverged = store.progress(&keys[&task].1)?.is_some_and(|(said, _)| said.diverged);
        if diverged && outcome(task)?.is_none() {
            return Ok(Some(Score::Failed));
        }
        open.extend(graph.dag.parents(task));
    }
    Ok(None)
}
