//! What to run and what to reuse, and why. Pure: no file is touched here.

use crate::{
    dataset::Presence,
    graph::Graph,
    key::{Key, KeyInputs, Kind},
    kinds::Kinds,
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

/// What the cache holds, as far as planning needs to know.
#[derive(Default)]
pub struct Known {
    /// Keys of whole entries.
    pub present: HashSet<Key>,
    /// Every entry, the newest last, to explain what differs. May be left empty where nobody asks.
    pub entries: Vec<Past>,
}

/// What an entry was made from, and as which task: `teacher@20`.
pub struct Past {
    /// The key's inputs.
    pub inputs: KeyInputs,
    /// The task's name.
    pub task: String,
}

/// One hashed field that differs between an old entry and a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Path of the field: `recipe.epochs`.
    pub field: String,
    /// JSON in the cache, or nothing.
    pub old: String,
    /// JSON now, or nothing.
    pub new: String,
}

impl Difference {
    /// Whether it is a parent's key that differs.
    pub fn is_parent(&self) -> bool {
        self.field.starts_with("parents.")
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.field, self.old, self.new)
    }
}

/// Why a task runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Reason {
    /// Nothing like it is in the cache.
    New,
    /// The nearest entry in the cache differs in these fields.
    Changed {
        /// That entry's key.
        nearest: Key,
        /// At least one.
        differences: Vec<Difference>,
    },
    /// `--force`.
    Forced,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::Forced => f.write_str("forced"),
            Self::Changed { differences, .. } => {
                let shown: Vec<String> =
                    differences.iter().take(3).map(ToString::to_string).collect();
                let more = differences.len().saturating_sub(3);
                f.write_str(&shown.join(", "))?;
                if more > 0 { write!(f, ", and {more} more") } else { Ok(()) }
            }
        }
    }
}

/// What happens to one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// Its entry is in the cache.
    Reuse,
    /// Its entry is made.
    Run(Reason),
    /// It is not in the cache, and nothing that was asked for needs it.
    Skip,
}

/// One artifact: tasks that have the same key are the same work.
#[derive(Clone, Debug)]
pub struct Step {
    /// The artifact's key.
    pub key: Key,
    /// What the key is made of.
    pub inputs: KeyInputs,
    /// Places in the graph of all tasks with this key, at least one.
    pub tasks: Vec<usize>,
    /// Steps that come first: those whose artifacts this one reads, and of a network at an epoch its
    /// training, if that runs.
    pub parents: Vec<usize>,
    /// The step among them that makes this one's artifact as well, where there is one.
    pub left_by: Option<usize>,
    /// Multiply-adds of a forward pass over one image, of its network and those that learn beside it.
    pub forward: f64,
    /// About how many multiply-adds it takes.
    pub multiply_adds: f64,
    /// What happens.
    pub action: Action,
}

impl Step {
    /// Its name: those of its tasks.
    pub fn name(&self, graph: &Graph<'_>) -> String {
        self.tasks.iter().map(|&task| graph.name(task)).collect::<Vec<_>>().join(" = ")
    }

    /// Whether another training, which runs, makes it as well: a network at an epoch, or one that learns
    /// beside others.
    pub fn is_left_behind(&self) -> bool {
        self.left_by.is_some()
    }

    /// Whether the key is known: what is decided by data that is not here, and whose digest nobody knows,
    /// has none yet.
    pub fn has_key(&self, graph: &Graph<'_>) -> bool {
        self.inputs.kind == Kind::Import
            || graph.learn(self.tasks[0]).data.info.presence != Presence::Unknown
    }
}

/// All steps, parents first.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// How many distillations there are, and how many there would be if each chain were distilled on its
    /// own, from the first teacher down to a student that teaches nobody.
    pub fn distillations(&self) -> (usize, usize) {
        let is_distillation = |index: usize| {
            let step = &self.steps[index];
            step.inputs.kind == Kind::Distill && step.action != Action::Skip
        };
        let indices: Vec<usize> =
            (0..self.steps.len()).filter(|&index| is_distillation(index)).collect();
        let mut lengths = vec![0; self.steps.len()];
        let mut teaches = vec![false; self.steps.len()];
        for &index in &indices {
            let Step { parents, left_by, .. } = &self.steps[index];
            let teachers = parents.iter().copied().filter(|parent| Some(*parent) != *left_by);
            let teachers: Vec<usize> = teachers.filter(|&index| is_distillation(index)).collect();
            let above = teachers.iter().map(|&teacher| lengths[teacher]).max();
            lengths[index] = 1 + above.unwrap_or(0);
            teachers.into_iter().for_each(|teacher| teaches[teacher] = true);
        }
        // What a training leaves on its way is no distillation of its own.
        let made = indices.iter().filter(|&&index| !self.steps[index].is_left_behind());
        let ends = made.clone().filter(|&&index| !teaches[index]);
        (made.count(), ends.map(|&index| lengths[index]).sum())
    }

    /// Plans the `targets` (indices in the graph) and what they need. A target that is in `forced`
    /// runs although its entry is there.
    pub fn new(
        graph: &Graph<'_>,
        keys: Vec<(KeyInputs, Key)>,
        known: &Known,
        targets: &[usize],
        forced: &[usize],
    ) -> Self {
        let mut index: HashMap<Key, usize> = HashMap::with_capacity(keys.len());
        let mut steps: Vec<Step> = Vec::new();
        let mut keys: Vec<Option<(KeyInputs, Key)>> = keys.into_iter().map(Some).collect();
        let mut step_of = vec![0; keys.len()];
        for &task in graph.dag.order() {
            let (inputs, key) = keys[task].take().expect("the order names each task once");
            let step = *index.entry(key).or_insert_with(|| {
                let parents =
                    graph.dag.parents(task).iter().map(|&parent| step_of[parent]).collect();
                let multiply_adds = graph.pipeline.multiply_adds(graph.tasks[task].node);
                let nets = graph.learn(task).trained().iter();
                let forward = nets.map(|net| net.multiply_adds() as f64).sum();
                let (tasks, action) = (Vec::new(), Action::Skip);
                let left_by = None;
                steps.push(Step {
                    key,
                    inputs,
                    tasks,
                    parents,
                    left_by,
                    forward,
                    multiply_adds,
                    action,
                });
                steps.len() - 1
            });
            step_of[task] = step;
            steps[step].tasks.push(task);
        }
        let forced: BTreeSet<usize> = forced.iter().map(|&task| step_of[task]).collect();
        let mut needed: Vec<bool> = vec![false; steps.len()];
        targets.iter().for_each(|&task| needed[step_of[task]] = true);
        let nearest = Nearest::new(&known.entries, &graph.pipeline.kinds);
        for step in (0..steps.len()).rev() {
            let present = known.present.contains(&steps[step].key);
            if present && !(forced.contains(&step) && needed[step]) {
                steps[step].action = Action::Reuse;
            } else if needed[step] {
                let reason = if forced.contains(&step) {
                    Reason::Forced
                } else {
                    nearest.reason(&steps[step].inputs, &graph.name(steps[step].tasks[0]))
                };
                steps[step].action = Action::Run(reason);
                steps[step].parents.clone().into_iter().for_each(|parent| needed[parent] = true);
            }
        }
        // A training that runs anyway makes its networks at an epoch on its way, and one that learns
        // beside others makes those as well: they wait for it.
        for step in 0..steps.len() {
            let runs = |step: usize| matches!(steps[step].action, Action::Run(_));
            let found = made_by(&steps[step].inputs).into_iter();
            let mut found = found.filter_map(|inputs| index.get(&inputs.key()).copied());
            let found = found.find(|&other| runs(other));
            if let Some(whole) = found.filter(|_| runs(step)) {
                steps[step].parents.push(whole);
                steps[step].left_by = Some(whole);
                steps[step].multiply_adds = 0.0;
            }
        }
        Self { steps }
    }

    /// Steps that run.
    pub fn running(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step.action, Action::Run(_)))
    }
}

/// Whose training makes it as well, if that runs.
fn made_by(inputs: &KeyInputs) -> Vec<KeyInputs> {
    match &inputs.mutual {
        _ if inputs.epoch.is_some() => vec![KeyInputs { epoch: None, ..inputs.clone() }],
        Some(mutual) => inputs.together().into_iter().take(mutual.place).collect(),
        None => Vec::new(),
    }
}

/// The fields of two keys' inputs that differ, in the order of their names.
pub fn differences(old: &KeyInputs, new: &KeyInputs, kinds: &Kinds) -> Vec<Difference> {
    compare(&flat(old, kinds), &flat(new, kinds))
}

type Flat = BTreeMap<String, String>;

fn compare(old: &Flat, new: &Flat) -> Vec<Difference> {
    let fields: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text =
        |side: &Flat, field| side.get(field).cloned().unwrap_or_else(|| "nothing".to_owned());
    fields
        .into_iter()
        .filter(|field| old.get(*field) != new.get(*field))
        .map(|field| Difference {
            field: field.clone(),
            old: text(old, field),
            new: text(new, field),
        })
        .collect()
}

/// Inputs as dotted paths to JSON scalars; a list of scalars stays one value.
fn flat(inputs: &KeyInputs, kinds: &Kinds) -> Flat {
    fn walk(path: &str, value: &Value, out: &mut Flat) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    walk(&format!("{path}{dot}{name}"), value, out);
                }
            }
            Value::Array(items) if path == "parents" => {
                for (index, item) in items.iter().enumerate() {
                    // A parent is known by its key; 12 digits tell keys apart for people.
                    let key = item.as_str().unwrap_or_default();
                    out.insert(format!("parents.{index}"), key.chars().take(12).collect());
                }
            }
            // So is a digest.
            Value::String(digest) if ["data.train", "data.test", "weights"].contains(&path) => {
                out.insert(path.to_owned(), digest.chars().take(12).collect());
            }
            value => {
                out.insert(path.to_owned(), value.to_string());
            }
        }
    }
    let mut out = Flat::new();
    walk("", &inputs.in_full(kinds), &mut out);
    out
}

/// Finds the entry that has most in common with a task.
struct Nearest<'a> {
    kinds: &'a Kinds,
    entries: Vec<(&'a Past, Flat)>,
}

/// Entries of a kind that are compared; in a larger cache the newest of them must do.
const COMPARED: usize = 200;

/// Fields that may differ for an entry to be near: another optimizer is four. Beyond, an entry tells
/// nothing of a step but that it is another one.
const FEW: usize = 4;

impl<'a> Nearest<'a> {
    fn new(entries: &'a [Past], kinds: &'a Kinds) -> Self {
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        let compared = entries.iter().rev().filter(|entry| {
            let count = counts.entry(entry.inputs.kind).or_default();
            *count += 1;
            *count <= COMPARED
        });
        Self { kinds, entries: compared.map(|entry| (entry, flat(&entry.inputs, kinds))).collect() }
    }

    /// Of entries that differ in as many fields, the one that was made under the same name tells
    /// people most.
    fn reason(&self, inputs: &KeyInputs, task: &str) -> Reason {
        let new = flat(inputs, self.kinds);
        let same_kind = self.entries.iter().filter(|(past, _)| past.inputs.kind == inputs.kind);
        let compared = same_kind.map(|(past, old)| (past, compare(old, &new)));
        let nearest =
            compared.min_by_key(|(past, differences)| (differences.len(), past.task != task));
        match nearest {
            Some((past, differences)) if (1..=FEW).contains(&differences.len()) => {
                Reason::Changed { nearest: past.inputs.key(), differences }
            }
            _ => Reason::New,
        }
    }
}
