//! A resolved pipeline: every name is what it names, every default is filled in.

use super::{
    Figure,
    adjust::Adjust,
    choose::Choose,
    executor::Slurm,
    figure::Measure,
    measure::{Ask, Eval, Measured},
    outside::Outside,
    search::Search,
};
use crate::{
    architecture::Architecture,
    column::Column,
    dag::Dag,
    dataset::{Data, Split},
    footprint::Footprint,
    keep::Keep,
    kind::Choice,
    kinds::Kinds,
    memory,
    objective::{Distillation, Supervised},
    recipe::{OnCollapse, Recipe},
    tap::{self, Tapped},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a pipeline file says.
pub struct Pipeline {
    /// `name`, or the file's stem.
    pub name: String,
    /// Every node runs once per seed.
    pub seeds: Vec<u64>,
    /// All nodes in the order of the file, chains and matrices expanded, evals last.
    pub nodes: Vec<Node>,
    /// Which node depends on which.
    pub dag: Dag,
    /// What the quoted values of its tables and figures are, to go after "the paper's are".
    pub paper_note: Option<String>,
    /// Tables to print; at least one if there is an eval.
    pub tables: Vec<Table>,
    /// Figures to draw.
    pub figures: Vec<Figure>,
    /// What it may name.
    pub kinds: Kinds,
    /// How its nodes are submitted to Slurm, where they are; no part of any key.
    pub slurm: Slurm,
    /// Names of the presets that the file defines.
    pub presets: Vec<String>,
    /// Searches, as far as they are decided.
    pub searches: Vec<Search>,
    /// Choices, as far as they are decided.
    pub choices: Vec<Choose>,
    /// What searches and choices wait for.
    pub asks: Vec<Ask>,
    /// Names of nodes that are not decided yet, and of those that learn from them.
    pub pending: Vec<String>,
}

/// One node, before it is repeated for each seed.
#[derive(Debug)]
pub struct Node {
    /// Unique in the pipeline; no part of any key.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// It runs once with each of them: the pipeline's, but for trials of a search.
    pub seeds: Arc<[u64]>,
    /// Whether it runs only where something needs it: trials, and what a search or a choice starts from.
    pub on_demand: bool,
    /// Whether it is a trial of a search, of which there are many.
    pub is_trial: bool,
    /// What it shares with the others of its matrix, chain or search: the start of their names.
    pub group: Option<Arc<str>>,
}

/// What a node does.
#[derive(Debug)]
pub enum Work {
    /// Trains a network, with or without a teacher.
    Learn(Box<Learn>),
    /// Measures a trained network.
    Eval(Eval),
}

/// A network and how it comes about.
#[derive(Debug)]
pub struct Learn {
    /// The network's name, for tables.
    pub net_name: String,
    /// The network.
    pub net: Architecture,
    /// The data set's name, for messages.
    pub data_name: String,
    /// The data set.
    pub data: Arc<Data>,
    /// Where its weights come from.
    pub how: How,
    /// After how many of its epochs it is looked at, where its weights are those of that moment and not
    /// those that its recipe selects.
    pub until: Option<usize>,
    /// After how many of its epochs other nodes want it.
    pub moments: Vec<usize>,
    /// Whether a training that no longer learns continues.
    pub on_collapse: OnCollapse,
}

/// Where a network's weights come from.
#[derive(Debug)]
pub enum How {
    /// Trained on labels.
    Train(Recipe, Choice<dyn Supervised>),
    /// Trained on a teacher and labels.
    Distill(Recipe, Teacher),
    /// Trained beside other networks, on them and labels.
    Mutual(Recipe, Mutual),
    /// Read from a file.
    Import(Weights),
}

/// Networks that learn from one another.
#[derive(Clone, Debug)]
pub struct Mutual {
    /// All of them, its own among them.
    pub nets: Vec<Architecture>,
    /// Their nodes' names.
    pub names: Vec<String>,
    /// Its own place.
    pub place: usize,
    /// What each minimises, with the others as its teachers.
    pub objective: Choice<dyn Distillation>,
}

/// A file of weights.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Where it lies.
    pub path: PathBuf,
    /// blake3 of its bytes, in hex.
    pub digest: String,
    /// Which of its state_dicts, where that is said.
    pub from: Option<String>,
}

impl Pipeline {
    /// About how many multiply-adds the node at `node` takes: one pass over the images for a
    /// measurement and for a teacher's logits, three in each epoch of a training, since a backward
    /// pass costs two forward ones.
    pub fn multiply_adds(&self, node: usize) -> f64 {
        let pass = |learn: &Learn, images: usize| learn.net.multiply_adds() as f64 * images as f64;
        match &self.nodes[node].work {
            Work::Eval(eval) => {
                let learn = self.learn(eval.of);
                let images = learn.images(eval.split);
                let teacher = eval.teacher.map_or(0.0, |node| pass(self.learn(node), images));
                pass(learn, images) + teacher
            }
            Work::Learn(learn) => {
                let Some(recipe) = learn.recipe() else { return 0.0 };
                let images = learn.data.trained();
                let epochs = learn.until.unwrap_or(recipe.epochs) as f64;
                let passes = if learn.asks_teachers() { epochs } else { 1.0 };
                let teachers = learn.teacher().into_iter().flat_map(|teacher| &teacher.nodes);
                let taught: f64 =
                    teachers.map(|&teacher| passes * pass(self.learn(teacher), images)).sum();
                let trained = learn.trained().iter();
                let all: f64 = trained.map(|net| net.multiply_adds() as f64).sum();
                3.0 * epochs * all * images as f64 + taught
            }
        }
    }
}

impl Learn {
    /// How it is trained, unless it is imported.
    pub fn recipe(&self) -> Option<&Recipe> {
        match &self.how {
            How::Train(recipe, _) | How::Distill(recipe, _) | How::Mutual(recipe, _) => {
                Some(recipe)
            }
            How::Import(_) => None,
        }
    }

    /// Images of a split of its data.
    pub(super) fn images(&self, split: Split) -> usize {
        let Data { info, validation, scoring, .. } = &*self.data;
        match split {
            Split::Train => self.data.trained(),
            Split::Validation => *validation,
            Split::Scoring => *scoring,
            Split::Test => info.test,
        }
    }

    /// How many updates its optimizer makes; nothing for imported weights.
    pub fn steps(&self) -> Option<usize> {
        let recipe = self.recipe()?;
        let images = self.data.trained();
        Some(self.until.unwrap_or(recipe.epochs) * images.div_ceil(recipe.batch_size.max(1)))
    }

    /// Whether it asks its teachers at each step: of augmented images, which are new ones each time,
    /// for features, and about images that their objective makes. Others read stored logits.
    pub fn asks_teachers(&self) -> bool {
        let augments = self.recipe().is_some_and(|recipe| !recipe.augment.is_empty());
        augments
            || self.teacher().is_some_and(|teacher| teacher.asked || !teacher.features.is_empty())
    }

    /// Bytes of its teacher's features, if it learns from any, and whether it keeps them in memory:
    /// where its images never change and memory allows.
    pub fn features(&self) -> Option<(u128, bool)> {
        let taps = &self.teacher().filter(|teacher| !teacher.features.is_empty())?.features;
        let images = self.data.trained();
        let bytes = tap::bytes(images, self.net.classes(), taps);
        let stay = self.recipe().is_some_and(|recipe| recipe.augment.is_empty());
        Some((bytes, stay && bytes <= memory::spare()))
    }

    /// The networks that one training makes: its own, and those that learn beside it.
    pub fn trained(&self) -> &[Architecture] {
        self.mutual().map_or(std::slice::from_ref(&self.net), |mutual| &mutual.nets)
    }

    /// Whom it learns beside, if there are such.
    pub fn mutual(&self) -> Option<&Mutual> {
        match &self.how {
            How::Mutual(_, mutual) => Some(mutual),
            How::Train(..) | How::Distill(..) | How::Import(_) => None,
        }
    }

    /// Whom it learns from, if it is distilled.
    pub fn teacher(&self) -> Option<&Teacher> {
        match &self.how {
            How::Distill(_, teacher) => Some(teacher),
            How::Train(..) | How::Mutual(..) | How::Import(_) => None,
        }
    }
}

/// Whom a distill node learns from, and how.
#[derive(Clone, Debug)]
pub struct Teacher {
    /// Indices of [`Work::Learn`] nodes, at least one; data and recipe are the first one's if none are
    /// named.
    pub nodes: Vec<usize>,
    /// The only one, where it is a file and no node.
    pub outside: Option<Outside>,
    /// What each counts in their mean; alike if nothing is said.
    pub weights: Option<Vec<f64>>,
    /// The objective.
    pub objective: Choice<dyn Distillation>,
    /// The features that it wants of its teacher.
    pub features: Vec<Tapped>,
    /// Whether its objective asks its teacher about images of its own making.
    pub asked: bool,
    /// How much of their logits is stored.
    pub keep: Keep,
}

impl Teacher {
    /// The first one that is a node, which is the nearest in a chain.
    pub fn first(&self) -> Option<usize> {
        self.nodes.first().copied()
    }
}

/// A table of results.
#[derive(Debug)]
pub struct Table {
    /// Printed above it.
    pub title: String,
    /// The measured split.
    pub split: Split,
    /// Printed below it.
    pub note: Option<String>,
    /// Beside the first one.
    pub columns: Vec<Column>,
    /// Names of the classes, where columns are of classes and the data names them.
    pub classes: Vec<String>,
    /// How the p-values of its comparisons are adjusted.
    pub adjust: Adjust,
    /// One row per network.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// First column.
    pub label: String,
    /// What takd has of it; nothing in a row that only quotes.
    pub measured: Option<Measured>,
    /// The published accuracy, in percent.
    pub paper: Option<f64>,
}

impl Node {
    /// The node's kind, as its table in the file names it.
    pub fn kind(&self) -> &'static str {
        match &self.work {
            Work::Learn(learn) if learn.teacher().is_none() => "train",
            Work::Learn(_) => "distill",
            Work::Eval(_) => "eval",
        }
    }

    /// The file that teaches it, if one does.
    pub fn teacher_file(&self) -> Option<&Path> {
        match &self.work {
            Work::Learn(learn) => learn.teacher()?.outside.as_ref().map(Outside::path),
            Work::Eval(_) => None,
        }
    }
}

impl Pipeline {
    /// The trainings of whose networks a table or a figure shows how long an image takes on this machine.
    pub fn timed(&self) -> Vec<usize> {
        let is_timed = |column: &Column| column.footprint() == Some(Footprint::Latency);
        let tables = self.tables.iter().filter(|table| table.columns.iter().any(is_timed));
        let rows = tables.flat_map(|table| &table.rows).filter_map(|row| row.measured);
        let is_timed = |figure: &&Figure| figure.places.footprint() == Some(Footprint::Latency);
        let figures = self.figures.iter().filter(is_timed);
        let points = figures.flat_map(|figure| &figure.series).flat_map(|series| &series.points);
        let points = points.filter_map(|point| match point.measured {
            Some(Measure::Accuracy(measured)) => Some(measured),
            _ => None,
        });
        let mut nodes: Vec<usize> = rows.chain(points).map(|measured| measured.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The training at `index`.
    ///
    /// # Panics
    /// If `index` is an eval.
    pub fn learn(&self, index: usize) -> &Learn {
        match &self.nodes[index].work {
            Work::Learn(learn) => learn,
            Work::Eval(_) => unreachable!("teachers, rows and evals are resolved to trainings"),
        }
    }
}
