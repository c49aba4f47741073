//! Typed tables whose names have not been looked up yet.

use super::{
    adjust::Adjust,
    choose::RawChoose,
    columns::RawColumn,
    data::RawData,
    diagnostic::Span,
    executor::Slurm,
    figure::raw::RawFigure,
    hyper::{RawNet, RawRecipe},
    measure::Ask,
    outside::RawOutside,
    search::RawSearch,
    value::{Name, Value},
};
use crate::{
    dataset::Split,
    keep::Keep,
    kind::Choice,
    objective::{Distillation, Supervised},
    recipe::OnCollapse,
};
use std::{collections::HashSet, sync::Arc};

/// A pipeline as it is written, matrices and chains expanded.
#[derive(Default)]
pub(super) struct RawPipeline {
    pub name: Option<String>,
    pub paper_note: Option<String>,
    pub seeds: Vec<u64>,
    /// Of nodes that do not say it themselves.
    pub on_collapse: Option<OnCollapse>,
    /// How its nodes are submitted.
    pub slurm: Slurm,
    pub data: Vec<(Name, Option<RawData>)>,
    pub recipes: Vec<(Name, Option<RawRecipe>)>,
    pub nets: Vec<(Name, Option<RawNet>)>,
    pub learns: Vec<RawLearn>,
    /// Names of all nodes, chains and evals, those that could not be read included.
    pub node_names: Vec<Name>,
    /// Names among them that gave no node: what is wrong with them has been reported.
    pub broken: HashSet<String>,
    /// Where chains start: a node's name, and the net that it should train.
    pub starts: Vec<(Name, Name)>,
    pub evals: Vec<RawEval>,
    pub tables: Vec<RawTable>,
    pub figures: Vec<RawFigure>,
    pub searches: Vec<RawSearch>,
    pub choices: Vec<RawChoose>,
    /// What searches and choices wait for.
    pub asks: Vec<Ask>,
    /// What the names of choices mean.
    pub aliases: Vec<(String, String)>,
    /// Names of nodes that are not decided yet, and of those that need them.
    pub pending: HashSet<String>,
}

/// A train or distill node.
#[derive(Clone)]
pub(super) struct RawLearn {
    pub name: Name,
    /// The epoch at which it is, if it is another node at an epoch.
    pub moment: Option<RawMoment>,
    pub net: Name,
    pub data: Option<Name>,
    pub recipe: Option<Name>,
    /// A file, relative to the pipeline's folder.
    pub weights: Option<Name>,
    /// Which state_dict of that file.
    pub from: Option<Name>,
    /// What it minimises without a teacher.
    pub loss: Choice<dyn Supervised>,
    pub teacher: Option<RawTeacher>,
    /// Those that learn beside it.
    pub peers: Option<RawPeers>,
    pub on_collapse: Option<OnCollapse>,
    /// What it minimises, as it is written.
    pub objective: Option<Value>,
    /// What it runs with, where that is not the pipeline's.
    pub seeds: Option<Arc<[u64]>>,
    pub role: Role,
}

/// When a node runs, and what means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// Whenever nothing else is asked for.
    #[default]
    Plain,
    /// Where something needs it: what a search or a choice starts from.
    Start,
    /// The same, and no glob means it.
    Trial,
}

/// Networks that learn from one another.
#[derive(Clone)]
pub(super) struct RawPeers {
    /// All of them, its own among them.
    pub nets: Vec<Name>,
    /// The nodes' names.
    pub names: Vec<String>,
    /// Its own place.
    pub place: usize,
    pub objective: Choice<dyn Distillation>,
    /// Where it is written.
    pub objective_span: Span,
}

/// Which epoch of a training.
#[derive(Clone, Debug)]
pub(super) struct RawMoment {
    /// The node that trains.
    pub of: String,
    /// Counted from 1; nothing for the last one.
    pub epoch: Option<usize>,
    /// Where it is asked for.
    pub span: Span,
}

/// Whom a distill node learns from, and how.
#[derive(Clone)]
pub(super) struct RawTeacher {
    /// Each once; none where it is a file.
    pub names: Vec<Name>,
    /// The only one, if it is a file.
    pub outside: Option<RawOutside>,
    /// As many, if they are given.
    pub weights: Option<Vec<f64>>,
    pub objective: Choice<dyn Distillation>,
    /// Where it is written.
    pub objective_span: Span,
    /// How much of its teachers' logits is stored, and where that is said.
    pub keep: Option<(Keep, Span)>,
}

impl RawTeacher {
    /// Where the first one is named.
    pub fn span(&self) -> &Span {
        let file = self.outside.as_ref().map(RawOutside::path);
        self.names.first().or(file).map_or(&self.objective_span, |name| &name.span)
    }
}

pub(super) struct RawEval {
    pub name: Name,
    pub of: Vec<Name>,
    pub split: Split,
    pub split_span: Span,
    pub temperature: Option<f64>,
    pub agreement: bool,
    pub softness: bool,
    pub against: Option<Name>,
    pub int8: bool,
    /// Whether it is there for a search or a choice, and no table shows it unless it is named.
    pub scores: bool,
}

pub(super) struct RawTable {
    pub name: Name,
    pub title: Option<String>,
    pub note: Option<String>,
    pub eval: Option<Name>,
    pub columns: Vec<RawColumn>,
    pub adjust: Adjust,
    pub rows: Option<Vec<RawRow>>,
}

/// A row of a table.
pub(super) struct RawRow {
    pub span: Span,
    pub label: Option<String>,
    /// A node or a glob; nothing in a row that only quotes.
    pub node: Option<Name>,
    /// In percent.
    pub paper: Option<f64>,
}
