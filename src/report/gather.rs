//! Collects a pipeline's results from the cache.

use super::Spread;
use crate::{
    config::{Select, Split},
    graph::Graph,
    key::{Key, KeyInputs},
    metrics::Metrics,
    spec::Ours,
    store::{Depth, Lookup, Outcome, Store, StoreError},
};
use serde::Serialize;

/// A pipeline's tables with what the cache holds for them.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// In the order of the file.
    pub tables: Vec<Results>,
}

/// One table.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Its title.
    pub title: String,
    /// The split that its rows are measured on.
    pub split: Split,
    /// In the order of the file.
    pub rows: Vec<TableRow>,
}

/// One network of a table.
#[derive(Clone, Debug, Serialize)]
pub struct TableRow {
    /// First column.
    pub label: String,
    /// The published accuracy, in percent.
    pub paper: Option<f64>,
    /// What takd has; nothing in a row that only quotes.
    pub ours: Option<OursRow>,
}

/// A network and its results.
#[derive(Clone, Debug, Serialize)]
pub struct OursRow {
    /// The node that trains it.
    pub node: String,
    /// The network's name.
    pub net: String,
    /// Trained parameters.
    pub parameters: usize,
    /// How its epoch was selected; nothing for imported weights.
    pub select: Option<Select>,
    /// One result a seed, in the pipeline's order.
    pub seeds: Vec<SeedResult>,
}

/// What one seed gave; nothing where the cache holds no whole entry.
#[derive(Clone, Debug, Serialize)]
pub struct SeedResult {
    /// The seed.
    pub seed: u64,
    /// Key of the network.
    pub key: Key,
    /// Key of the measurement.
    pub eval_key: Key,
    /// The measurement.
    pub metrics: Option<Metrics>,
    /// Wall time of the training.
    pub seconds: Option<f64>,
    /// Epoch of the kept weights, counted from 1.
    pub selected_epoch: Option<usize>,
}

impl Report {
    /// Reads the results of `graph`, whose tasks have these `keys`, out of `store`.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry counts as missing.
    pub fn gather(
        graph: &Graph<'_>,
        keys: &[(KeyInputs, Key)],
        store: &Store,
    ) -> Result<Self, StoreError> {
        let mut tables = Vec::with_capacity(graph.pipeline.tables.len());
        for table in &graph.pipeline.tables {
            let mut rows = Vec::with_capacity(table.rows.len());
            for row in &table.rows {
                let ours = row.ours.map(|ours| gather_row(graph, keys, store, ours)).transpose()?;
                rows.push(TableRow { label: row.label.clone(), paper: row.paper, ours });
            }
            tables.push(Results { title: table.title.clone(), split: table.split, rows });
        }
        Ok(Self { pipeline: graph.pipeline.name.clone(), tables })
    }
}

fn gather_row(
    graph: &Graph<'_>,
    keys: &[(KeyInputs, Key)],
    store: &Store,
    ours: Ours,
) -> Result<OursRow, StoreError> {
    let outcome = |key: &Key| match store.find(key, Depth::Manifest)? {
        Lookup::Whole(entry) => Ok(Some(entry.manifest.outcome)),
        Lookup::Missing | Lookup::Damaged(_) => Ok::<_, StoreError>(None),
    };
    let learn = graph.pipeline.learn(ours.node);
    let mut seeds = Vec::with_capacity(graph.pipeline.seeds.len());
    for (trained, measured) in graph.of_node(ours.node).zip(graph.of_node(ours.eval)) {
        let (key, eval_key) = (keys[trained].1, keys[measured].1);
        let (seconds, selected_epoch) = match outcome(&key)? {
            Some(Outcome::Network { seconds, selected_epoch, .. }) => {
                (Some(seconds), selected_epoch)
            }
            _ => (None, None),
        };
        let metrics = match outcome(&eval_key)? {
            Some(Outcome::Metrics { metrics, .. }) => Some(metrics),
            _ => None,
        };
        let seed = graph.tasks[trained].seed;
        seeds.push(SeedResult { seed, key, eval_key, metrics, seconds, selected_epoch });
    }
    Ok(OursRow {
        node: graph.pipeline.nodes[ours.node].name.clone(),
        net: learn.net_name.clone(),
        parameters: learn.net.parameters(),
        select: learn.recipe().map(|recipe| recipe.select),
        seeds,
    })
}

impl OursRow {
    /// Top-1 over the seeds that are measured, as a share.
    pub fn accuracy(&self) -> Option<Spread> {
        let metrics = self.seeds.iter().filter_map(|seed| seed.metrics.as_ref());
        Spread::of(&metrics.map(|metrics| metrics.top1).collect::<Vec<_>>())
    }

    /// Wall time of one training, over the seeds that are trained.
    pub fn seconds(&self) -> Option<Spread> {
        Spread::of(&self.seeds.iter().filter_map(|seed| seed.seconds).collect::<Vec<_>>())
    }

    /// Seeds without a measurement.
    pub fn missing(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.metrics.is_none()).count()
    }

    /// Whether its epoch was selected on the test split.
    pub fn is_test_selected(&self) -> bool {
        self.select == Some(Select::BestTest)
    }
}
