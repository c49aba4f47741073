//! Names become what they name; whatever does not fit together is reported.

use super::{
    data::Folders,
    decide::decide,
    diagnostic::{Diagnostics, Sources, Span},
    figure::Figure,
    groups::groups,
    hyper::RawRecipe,
    measure::Eval,
    moment,
    names::suggestion,
    raw,
    resolved::{How, Learn, Node, Pipeline, Table, Weights, Work},
    search::Context,
    tables::{RawLearn, RawPipeline, Role},
    value::{self, Name},
};
use crate::{
    dag::{Cycle, Dag},
    dataset::{Data, DataInfo, Format},
    kinds::Kinds,
    onnx::OnnxFile,
    recipe::{OnCollapse, Recipe, Select},
    search::Told,
};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

/// Looks a data set up; the error is a sentence.
pub type Probe<'a> = dyn Fn(&Format) -> Result<DataInfo, String> + 'a;

/// blake3 of a file, in hex; the error is a sentence.
pub type Digest<'a> = dyn Fn(&Path) -> Result<String, String> + 'a;

/// Reads a pipeline out of its file and the `--set`s laid over it.
///
/// `folder` is what relative paths in it start from; `stem` names a pipeline without `name`.
/// `builtin` gives the layers of a named network for a number of classes.
///
/// # Errors
/// [`Diagnostics`]: every error at once.
pub fn parse(
    sources: Sources,
    folder: &Path,
    stem: &str,
    catalogue: Catalogue<'_>,
) -> Result<Pipeline, Diagnostics> {
    let mut errors = Diagnostics::new(sources.clone());
    let (root, presets) = value::read(&sources, catalogue.preset, catalogue.profile, &mut errors);
    let folders = Folders { pipeline: folder, data: catalogue.data };
    let mut raw = raw::read(&root, folders, catalogue.kinds, &mut errors);
    let Catalogue { kinds, told, preset, open_only, .. } = catalogue;
    let sizes = catalogue.sizes(&raw, folder);
    let footprint = &|node: &RawLearn, what| sizes.of(node, what);
    let context = Context { root: &root, kinds, told, preset, open_only, footprint };
    let (searches, choices) = decide(&mut raw, context, &mut errors);
    moment::add(&mut raw, &mut errors);
    let mut resolver = Resolver::new(folder, &raw, catalogue, errors);
    let pipeline = resolver.pipeline(stem);
    let pipeline = pipeline.map(|pipeline| Pipeline { presets, searches, choices, ..pipeline });
    resolver.errors.finish(pipeline)
}

/// What a pipeline is read with: everything that it may name without defining it.
#[derive(Clone, Copy)]
pub struct Catalogue<'a> {
    /// Whether the second source is a profile: what it says of executors lies under the file's.
    pub profile: bool,
    /// The `[preset.NAME]` to lay over the file.
    pub preset: Option<&'a str>,
    /// Folder of fetched data sets.
    pub data: &'a Path,
    /// What measurements have told of searches and choices.
    pub told: &'a Told,
    /// Whether trials that are over are left out: they were needed to decide those that are open.
    pub open_only: bool,
    /// Finds out about data sets.
    pub probe: &'a Probe<'a>,
    /// Finds out about files of weights.
    pub digest: &'a Digest<'a>,
    /// Finds out about ONNX files; the error is a sentence.
    pub onnx: &'a dyn Fn(&Path) -> Result<OnnxFile, String>,
    /// Reads a small file of text; the error is a sentence.
    pub text: &'a dyn Fn(&Path) -> Result<String, String>,
    /// Objectives, optimizers and the like.
    pub kinds: &'a Kinds,
    /// Layers of a built-in network.
    pub net: fn(&str, usize) -> Option<Vec<String>>,
    /// Names of the built-in networks.
    pub net_names: &'a [&'static str],
}

pub(super) struct Resolver<'a> {
    pub folder: &'a Path,
    pub raw: &'a RawPipeline,
    pub catalogue: Catalogue<'a>,
    pub errors: Diagnostics,
    data: HashMap<&'a str, Option<Arc<Data>>>,
    /// Place of each train or distill node among `raw.learns`, by name.
    pub index: HashMap<&'a str, usize>,
    /// Batch sizes that leave a batch of one of so many images, and have been reported.
    pub lone_batches: HashSet<(Span, usize)>,
}

impl<'a> Resolver<'a> {
    pub fn new(
        folder: &'a Path,
        raw: &'a RawPipeline,
        catalogue: Catalogue<'a>,
        errors: Diagnostics,
    ) -> Self {
        let (data, index, lone_batches) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { folder, raw, catalogue, errors, data, index, lone_batches }
    }

    fn pipeline(&mut self, stem: &str) -> Option<Pipeline> {
        let raw = self.raw;
        self.index = raw.learns.iter().enumerate().map(|(i, node)| (&*node.name.text, i)).collect();
        for (alias, node) in &raw.aliases {
            if let Some(&place) = self.index.get(&**node) {
                self.index.insert(alias, place);
            }
        }
        self.resolve_data();
        let mut teachers: Vec<Vec<usize>> = raw
            .learns
            .iter()
            .map(|node| {
                let names = node.teacher.iter().flat_map(|teacher| &teacher.names);
                names.filter_map(|name| self.node(name)).collect()
            })
            .collect();
        let dag = Dag::new(teachers.clone());
        let order = match &dag {
            Ok(dag) => dag.order().to_vec(),
            Err(cycles) => {
                cycles.iter().for_each(|cycle| self.report_cycle(cycle));
                // Nodes have no teacher then; whatever else is wrong with them is still found.
                teachers.fill(Vec::new());
                (0..raw.learns.len()).collect()
            }
        };
        let mut learns: Vec<Option<Learn>> = raw.learns.iter().map(|_| None).collect();
        for index in order {
            let learn = self.learn(&raw.learns[index], &teachers[index], &learns);
            learns[index] = learn;
        }
        let teaches: HashSet<usize> = teachers.iter().flatten().copied().collect();
        for (index, learn) in learns.iter_mut().enumerate() {
            let said = raw.learns[index].on_collapse.or(raw.on_collapse);
            // What learns from a dead teacher learns nothing.
            let peers = raw.learns[index].peers.is_some();
            let usual =
                if peers || teaches.contains(&index) { OnCollapse::Stop } else { OnCollapse::Warn };
            if let Some(learn) = learn {
                learn.on_collapse = said.unwrap_or(usual);
            }
        }
        self.link_moments(&mut learns);
        self.check_starts(&learns);
        // References below are checked even where a node is broken.
        let evals: Vec<(String, Eval)> =
            raw.evals.iter().flat_map(|eval| self.eval(eval, &learns)).collect();
        let tables: Vec<Option<Table>> = match raw.tables.as_slice() {
            [] => vec![self.default_table(&evals)],
            tables => tables.iter().map(|table| self.table(table, &evals, &learns)).collect(),
        };
        let figures: Vec<Option<Figure>> =
            raw.figures.iter().map(|figure| self.figure(figure, &evals, &learns)).collect();
        if raw.learns.is_empty() && self.errors.list().is_empty() {
            let start = Span { source: 0, start: 0, end: 0 };
            self.errors.push_help(&start, "the pipeline has no node", "add a [train.NAME] table");
        }
        let seeds: Arc<[u64]> = raw.seeds.as_slice().into();
        let mut nodes = Vec::with_capacity(learns.len() + evals.len());
        let groups = groups(raw.learns.iter().map(|node| &node.name));
        for ((raw, learn), group) in raw.learns.iter().zip(learns).zip(groups) {
            let (name, work) = (raw.name.text.clone(), Work::Learn(Box::new(learn?)));
            let own = raw.seeds.as_ref().unwrap_or(&seeds).clone();
            let (on_demand, is_trial) = (raw.role != Role::Plain, raw.role == Role::Trial);
            nodes.push(Node { name, work, seeds: own, on_demand, is_trial, group });
        }
        for (name, eval) in evals {
            let Node { seeds, is_trial, group, .. } = &nodes[eval.of];
            let (seeds, on_demand, is_trial) = (seeds.clone(), eval.scores, *is_trial);
            let group = group.clone();
            nodes.push(Node { name, work: Work::Eval(eval), seeds, on_demand, is_trial, group });
        }
        let parents = nodes.iter().map(|node| match &node.work {
            Work::Learn(learn) => {
                learn.teacher().map_or_else(Vec::new, |teacher| teacher.nodes.clone())
            }
            Work::Eval(eval) => eval.parents(),
        });
        Some(Pipeline {
            name: raw.name.clone().unwrap_or_else(|| stem.to_owned()),
            paper_note: raw.paper_note.clone(),
            seeds: raw.seeds.clone(),
            dag: Dag::new(parents.collect()).ok()?,
            nodes,
            tables: tables.into_iter().flatten().collect(),
            figures: figures.into_iter().flatten().collect(),
            kinds: self.catalogue.kinds.clone(),
            slurm: raw.slurm.clone(),
            presets: Vec::new(),
            searches: Vec::new(),
            choices: Vec::new(),
            asks: raw.asks.clone(),
            pending: raw.pending.iter().cloned().collect(),
        })
    }

    pub fn resolve_data(&mut self) {
        for (name, raw) in &self.raw.data {
            let data = raw.as_ref().and_then(|raw| {
                let info = match (self.catalogue.probe)(&raw.format) {
                    Ok(info) => info,
                    Err(problem) => {
                        self.errors.push(&raw.span, problem);
                        return None;
                    }
                };
                let held = raw.validation.saturating_add(raw.scoring);
                if held >= info.train {
                    let message = format!(
                        "{} of {} training images leave none to train on",
                        held, info.train
                    );
                    self.errors.push(&raw.validation_span, message);
                }
                if let crate::dataset::Normalisation::Given { mean, .. } = &raw.normalisation
                    && mean.len() != info.shape.channels
                {
                    let message =
                        format!("{} values for {} channels", mean.len(), info.shape.channels);
                    self.errors.push(&raw.normalisation_span, message);
                }
                let (format, normalisation) = (raw.format.clone(), raw.normalisation.clone());
                let (validation, scoring) = (raw.validation, raw.scoring);
                Some(Arc::new(Data { format, validation, scoring, normalisation, info }))
            });
            self.data.insert(&name.text, data);
        }
    }

    fn report_cycle(&mut self, Cycle(path): &Cycle) {
        let names = &self.raw.learns;
        let round = path.iter().chain(path.first()).map(|&node| &*names[node].name.text);
        let text = round.collect::<Vec<_>>().join(" → ");
        let message = format!("nodes teach one another in a circle: {text}");
        self.errors.push(&names[path[0]].name.span, message);
    }

    /// A chain's first net must be what its teacher trains.
    fn check_starts(&mut self, learns: &[Option<Learn>]) {
        for (from, net) in &self.raw.starts {
            let teacher = self.index.get(&*from.text).and_then(|&index| learns[index].as_ref());
            if let Some(teacher) = teacher.filter(|teacher| teacher.net_name != net.text) {
                let message =
                    format!("`{}` trains `{}`, not `{}`", from.text, teacher.net_name, net.text);
                self.errors.push_help(&net.span, message, "`nets` starts with the net of `from`");
            }
        }
    }

    /// The train or distill node called `name`.
    pub fn node(&mut self, name: &Name) -> Option<usize> {
        let found = self.index.get(&*name.text).copied();
        if found.is_none() {
            self.raw.report_unknown(name, &mut self.errors);
        }
        found
    }

    /// One node's training; `None` once something about it has been reported.
    fn learn(
        &mut self,
        raw: &RawLearn,
        teachers: &[usize],
        learns: &[Option<Learn>],
    ) -> Option<Learn> {
        if self.whole(raw).is_some_and(|whole| learns[whole].is_none()) {
            // What is wrong with the training has been told.
            return None;
        }
        let taught = teachers.first().and_then(|&teacher| learns[teacher].as_ref());
        let (data_name, data) = match (&raw.data, taught) {
            (Some(name), _) => (name.text.clone(), self.data(name)),
            (None, Some(teacher)) => (teacher.data_name.clone(), Some(teacher.data.clone())),
            (None, None) => (String::new(), None),
        };
        let recipe = match (&raw.recipe, taught) {
            (Some(name), _) => self.recipe(name, data.as_deref()),
            (None, Some(teacher)) => teacher.recipe().cloned().or_else(|| {
                let message =
                    format!("`{}` needs `recipe`: its teacher was not trained here", raw.name.text);
                self.errors.push(&raw.name.span, message);
                None
            }),
            (None, None) => None,
        };
        let net = self.net(&raw.net, data.as_deref());
        let data = data?;
        if let (Some(name), Some(recipe), Some(net)) = (&raw.recipe, &recipe, &net) {
            self.check_batches(name, recipe, net, &data);
        }
        let teacher = match &raw.teacher {
            None => None,
            Some(taught) => {
                let student = (&raw.name, net.as_ref(), recipe.as_ref());
                Some(self.taught(taught, teachers, learns, student, (&data, &data_name))?)
            }
        };
        let until = self.until(raw, recipe.as_ref())?;
        let net_name = raw.net.text.clone();
        let how = match (teacher, &raw.weights) {
            (Some(teacher), _) => How::Distill(recipe?, teacher),
            (None, Some(file)) => How::Import(self.weights(file, raw.from.as_ref())?),
            (None, None) => self.trained(raw, recipe?, &data)?,
        };
        // Who teaches is known when all nodes are.
        let on_collapse = OnCollapse::Warn;
        Some(Learn {
            net_name,
            net: net?,
            data_name,
            data,
            how,
            until,
            moments: Vec::new(),
            on_collapse,
        })
    }

    fn weights(&mut self, file: &Name, from: Option<&Name>) -> Option<Weights> {
        let path = self.folder.join(&file.text);
        match (self.catalogue.digest)(&path) {
            Ok(digest) => Some(Weights { path, digest, from: from.map(|from| from.text.clone()) }),
            Err(problem) => {
                self.errors.push(&file.span, problem);
                None
            }
        }
    }

    pub fn data(&mut self, name: &Name) -> Option<Arc<Data>> {
        if let Some(data) = self.data.get(&*name.text) {
            return data.clone();
        }
        let help = suggestion(&name.text, self.raw.data.iter().map(|(name, _)| &*name.text));
        self.errors.push_help(&name.span, format!("no data is named `{}`", name.text), help);
        None
    }

    fn recipe(&mut self, name: &Name, data: Option<&Data>) -> Option<Recipe> {
        let recipes = &self.raw.recipes;
        let Some((_, found)) = recipes.iter().find(|(known, _)| known.text == name.text) else {
            let help = suggestion(&name.text, recipes.iter().map(|(name, _)| &*name.text));
            self.errors.push_help(&name.span, format!("no recipe is named `{}`", name.text), help);
            return None;
        };
        let RawRecipe { recipe, select, batch_size: _ } = found.as_ref()?;
        let held = data.is_some_and(|data| data.validation > 0);
        let mut recipe = recipe.clone();
        match select {
            None if held => recipe.select = Select::BestValidation,
            None => recipe.select = Select::Last,
            Some(select) if recipe.select == Select::BestValidation && data.is_some() && !held => {
                let help = "set `validation` in the data's table, or select \"last\"";
                self.errors.push_help(&select.span, "no images are held out for validation", help);
            }
            Some(_) => {}
        }
        Some(recipe)
    }
}
