//! Two pipelines: their nodes are paired by name, their results by node and seed.

use crate::{
    console::exit::Problem,
    graph::Graph,
    key::{Key, KeyInputs, keys},
    metric::{METRICS, Metrics},
    pipeline::{Pipeline, Work},
    plan::{Difference, differences},
    report::plural,
    statistics::{Paired, Spread},
    store::{Outcome, Store, StoreError},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What differs between two pipelines.
#[derive(Serialize)]
pub(super) struct Diff {
    /// Nodes that only the old one has.
    only_old: Vec<String>,
    /// Nodes that only the new one has.
    only_new: Vec<String>,
    /// Nodes of both, in the new one's order.
    nodes: Vec<NodeDiff>,
    /// Seeds of both.
    seeds: Vec<u64>,
}

/// A node of both pipelines.
#[derive(Serialize)]
struct NodeDiff {
    node: String,
    /// Whether every common seed has the same key: then it is one artifact.
    same: bool,
    /// Hashed fields that differ, the parents' keys left out.
    fields: Vec<Difference>,
    /// Results of an eval node whose artifacts differ.
    results: Vec<Change>,
}

/// One number of an eval node, over the common seeds that both have.
#[derive(Serialize)]
struct Change {
    metric: &'static str,
    unit: &'static str,
    old: Spread,
    new: Spread,
    /// New minus old.
    difference: Paired,
    /// Whether the new one is better, where the interval shows a difference and the metric judges.
    better: Option<bool>,
}

type Tasks = BTreeMap<(String, u64), (KeyInputs, Key)>;

fn tasks(pipeline: &Pipeline) -> Tasks {
    let graph = Graph::new(pipeline);
    let named = graph.tasks.iter().map(|task| (pipeline.nodes[task.node].name.clone(), task.seed));
    named.zip(keys(&graph)).collect()
}

impl Diff {
    pub fn new(old: &Pipeline, new: &Pipeline, store: &Store) -> Result<Self, Problem> {
        let names = |pipeline: &Pipeline| -> BTreeSet<String> {
            pipeline.nodes.iter().map(|node| node.name.clone()).collect()
        };
        let (old_names, new_names) = (names(old), names(new));
        let seeds: Vec<u64> =
            new.seeds.iter().copied().filter(|seed| old.seeds.contains(seed)).collect();
        let (old_tasks, new_tasks) = (tasks(old), tasks(new));
        let kinds = &new.kinds;
        let mut nodes = Vec::new();
        for node in new.nodes.iter().filter(|node| old_names.contains(&node.name)) {
            let pairs: Vec<_> = seeds
                .iter()
                .map(|seed| (node.name.clone(), *seed))
                .filter_map(|task| Some((old_tasks.get(&task)?, new_tasks.get(&task)?)))
                .collect();
            let fields = pairs.first().map_or(Vec::new(), |((old, _), (new, _))| {
                let fields = differences(old, new, kinds).into_iter();
                fields.filter(|difference| !difference.is_parent()).collect()
            });
            let same = pairs.iter().all(|((_, old), (_, new))| old == new);
            let results = match node.work {
                Work::Eval(_) if !same => {
                    let keys = pairs.iter().map(|((_, old), (_, new))| (*old, *new));
                    results(keys, store)?
                }
                _ => Vec::new(),
            };
            nodes.push(NodeDiff { node: node.name.clone(), same, fields, results });
        }
        Ok(Self {
            only_old: old_names.difference(&new_names).cloned().collect(),
            only_new: new_names.difference(&old_names).cloned().collect(),
            nodes,
            seeds,
        })
    }

    pub fn text(&self, old: &str, new: &str) -> String {
        let mut text = format!("{old} → {new}\n");
        for (file, nodes) in [(old, &self.only_old), (new, &self.only_new)] {
            if !nodes.is_empty() {
                text += &format!("only in {file}: {}\n", nodes.join(", "));
            }
        }
        if self.seeds.is_empty() {
            return text + "no seed is in both: nothing can be compared\n";
        }
        let (same, others): (Vec<_>, Vec<_>) = self.nodes.iter().partition(|node| node.same);
        if !same.is_empty() {
            let (count, s) = (same.len(), plural(same.len()));
            text += &format!("{count} node{s} with the same key in both\n");
        }
        // What several nodes have alike is said once.
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for node in &others {
            let fields = node.fields.iter().map(ToString::to_string);
            let through = node.fields.is_empty().then(|| "only parents differ".to_owned());
            for what in fields.chain(through) {
                match said.iter_mut().find(|(known, _)| *known == what) {
                    Some((_, nodes)) => nodes.push(&node.node),
                    None => said.push((what, vec![&node.node])),
                }
            }
        }
        for (what, nodes) in said {
            text += &format!("{}: {what}\n", listed(&nodes));
        }
        let measured: Vec<_> = others.iter().filter(|node| !node.results.is_empty()).collect();
        if !measured.is_empty() {
            text += "\nresults, old → new (paired Student's t over the common seeds)\n";
        }
        for node in measured {
            text += &format!("{}\n", node.node);
            text.extend(node.results.iter().map(Change::line));
        }
        text
    }
}

/// Names that are listed; of more, as many and how many more there are.
const LISTED: usize = 6;

fn listed(names: &[&str]) -> String {
    match names.len().saturating_sub(LISTED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..LISTED].join(", ")),
    }
}

impl Change {
    fn line(&self) -> String {
        let (old, new) = (self.old.scaled(1.0, 2), self.new.scaled(1.0, 2));
        let told = self.difference.sentence(self.unit);
        let verdict = match self.better {
            Some(true) => ", better",
            Some(false) => ", worse",
            None => "",
        };
        format!("  {}: {old} → {new}: {told}{verdict}\n", self.metric)
    }
}

/// The numbers of two eval nodes, from their keys seed by seed.
fn results(
    keys: impl Iterator<Item = (Key, Key)>,
    store: &Store,
) -> Result<Vec<Change>, StoreError> {
    let metrics = |key: &Key| match store.outcome(key)? {
        Some(Outcome::Metrics { metrics, .. }) => Ok(Some(metrics)),
        Some(Outcome::Network { .. } | Outcome::Logits { .. }) | None => Ok::<_, StoreError>(None),
    };
    let mut pairs = Vec::new();
    for (old, new) in keys {
        pairs.extend(metrics(&old)?.zip(metrics(&new)?));
    }
    let changes = METRICS.iter().filter_map(|metric| {
        let number = |metrics: &Metrics| Some(metrics.get(metric.name)? * metric.unit.scale());
        let both = pairs.iter().filter_map(|(old, new)| number(old).zip(number(new)));
        let values: Vec<(f64, f64)> = both.collect();
        let differences: Vec<f64> = values.iter().map(|(old, new)| new - old).collect();
        let (old, new): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
        let (old, new) = (Spread::of(&old)?, Spread::of(&new)?);
        let difference = Paired::of(&differences)?;
        let better = metric.better.is_better(difference.mean).filter(|_| difference.is_shown());
        let (metric, unit) = (metric.title, metric.unit.of_difference());
        Some(Change { metric, unit, old, new, difference, better })
    });
    Ok(changes.collect())
}
