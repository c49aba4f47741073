//! Collects a pipeline's results from the cache.

use super::{Comparison, Entries, FigureResults, Spread, compare::comparisons};
use crate::{
    config::{Select, Split},
    graph::Graph,
    key::{Key, KeyInputs},
    metrics::Metrics,
    spec::{Ours, Work},
    store::{Lookup, Maker, Outcome, StoreError},
};
use serde::Serialize;
use std::ops::Not;

/// A pipeline's tables with what the cache holds for them.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// In the order of the file.
    pub tables: Vec<Results>,
    /// In the order of the file.
    pub figures: Vec<FigureResults>,
}

/// One table.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Its title.
    pub title: String,
    /// The split that its rows are measured on.
    pub split: Split,
    /// The file's word on it.
    pub note: Option<String>,
    /// What the quoted values are, to go after "the paper's are".
    pub paper_note: Option<String>,
    /// In the order of the file.
    pub rows: Vec<TableRow>,
    /// TAKD against BLKD, where rows are of both.
    pub comparisons: Vec<Comparison>,
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
    /// Classes of its data.
    pub classes: usize,
    /// Whether another node learns from it.
    pub teaches: bool,
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
    /// Whether the measurement is not there because it, or something that it needs, has failed.
    #[serde(skip_serializing_if = "Not::not")]
    pub failed: bool,
}

impl Report {
    /// Reads the results of `graph`, whose tasks have these `keys`, out of `entries`.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry counts as missing.
    pub fn gather(
        graph: &Graph<'_>,
        keys: &[(KeyInputs, Key)],
        entries: &mut Entries<'_>,
    ) -> Result<Self, StoreError> {
        let mut reader = Reader { graph, keys, entries };
        let pipeline = graph.pipeline;
        let mut tables = Vec::with_capacity(pipeline.tables.len());
        for table in &pipeline.tables {
            let mut rows = Vec::with_capacity(table.rows.len());
            for row in &table.rows {
                let ours = row.ours.map(|ours| reader.row(ours)).transpose()?;
                rows.push(TableRow { label: row.label.clone(), paper: row.paper, ours });
            }
            let comparisons = comparisons(pipeline, table, &mut reader)?;
            let (title, split, note) = (table.title.clone(), table.split, table.note.clone());
            let paper_note = pipeline.paper_note.clone();
            tables.push(Results { title, split, note, paper_note, rows, comparisons });
        }
        let figures = pipeline.figures.iter();
        let figures = figures.map(|figure| FigureResults::gather(figure, &mut reader));
        let figures = figures.collect::<Result<_, _>>()?;
        Ok(Self { pipeline: pipeline.name.clone(), tables, figures })
    }
}

/// Reads what came out of a pipeline's tasks.
pub(super) struct Reader<'a, 'e> {
    graph: &'a Graph<'a>,
    keys: &'a [(KeyInputs, Key)],
    entries: &'a mut Entries<'e>,
}

impl Reader<'_, '_> {
    /// What the pipeline's quoted values are.
    pub fn paper_note(&self) -> Option<String> {
        self.graph.pipeline.paper_note.clone()
    }

    /// Seeds of the pipeline.
    pub fn seeds(&self) -> usize {
        self.graph.pipeline.seeds.len()
    }

    fn outcome(&mut self, key: &Key) -> Result<Option<&Outcome>, StoreError> {
        Ok(match self.entries.find(key)? {
            Lookup::Whole(entry) => Some(&entry.manifest.outcome),
            Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => None,
        })
    }

    /// Whether the last process that made a task, or something that it needs, has given up.
    fn failed(&mut self, task: usize) -> Result<bool, StoreError> {
        let mut open = vec![task];
        while let Some(task) = open.pop() {
            let key = self.keys[task].1;
            if matches!(self.entries.find(&key)?, Lookup::Whole(_)) {
                continue;
            }
            if let Some((_, Maker::Failed)) = self.entries.store().progress(&key)? {
                return Ok(true);
            }
            open.extend(self.graph.dag.parents(task));
        }
        Ok(false)
    }

    /// A network and its results.
    pub fn row(&mut self, ours: Ours) -> Result<OursRow, StoreError> {
        let graph = self.graph;
        let learn = graph.pipeline.learn(ours.node);
        let mut seeds = Vec::with_capacity(self.seeds());
        for (trained, measured) in graph.of_node(ours.node).zip(graph.of_node(ours.eval)) {
            let (key, eval_key) = (self.keys[trained].1, self.keys[measured].1);
            let (seconds, selected_epoch) = match self.outcome(&key)? {
                Some(Outcome::Network { seconds, selected_epoch, .. }) => {
                    (Some(*seconds), *selected_epoch)
                }
                _ => (None, None),
            };
            let metrics = match self.outcome(&eval_key)? {
                Some(Outcome::Metrics { metrics, .. }) => Some(metrics.clone()),
                _ => None,
            };
            let failed = metrics.is_none() && self.failed(measured)?;
            let seed = graph.tasks[trained].seed;
            seeds.push(SeedResult {
                seed,
                key,
                eval_key,
                metrics,
                seconds,
                selected_epoch,
                failed,
            });
        }
        let (nodes, children) = (&graph.pipeline.nodes, graph.pipeline.dag.children(ours.node));
        Ok(OursRow {
            node: nodes[ours.node].name.clone(),
            net: learn.net_name.clone(),
            parameters: learn.net.parameters(),
            classes: learn.net.classes(),
            teaches: children.iter().any(|&child| matches!(nodes[child].work, Work::Learn(_))),
            select: learn.recipe().map(|recipe| recipe.select),
            seeds,
        })
    }
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

    /// Seeds without a measurement because something has failed.
    pub fn failed(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.failed).count()
    }

    /// Whether its epoch was selected on the test split.
    pub fn is_test_selected(&self) -> bool {
        self.select == Some(Select::BestTest)
    }

    /// Whether it teaches although some seed's accuracy cannot be told from guessing: it is within
    /// two standard deviations of what one class in so many gives on as many images.
    pub fn teaches_at_chance(&self) -> bool {
        let chance = 1.0 / self.classes.max(1) as f64;
        let guessed = |metrics: &Metrics| {
            let deviation = (chance * (1.0 - chance) / metrics.samples.max(1) as f64).sqrt();
            metrics.top1 <= chance + 2.0 * deviation
        };
        self.teaches && self.seeds.iter().filter_map(|seed| seed.metrics.as_ref()).any(guessed)
    }
}
