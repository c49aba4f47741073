//! What the cache holds of each node: state, epochs, measurement, provenance; and who makes it.

use super::{
    Entries, Spread,
    state::{Making, NodeState},
};
use crate::{
    graph::Graph,
    history::{self, EpochRecord},
    key::{Key, KeyInputs},
    metric::{Answers, Metrics},
    pipeline::{Node, Pipeline, Work},
    store::{Entry, Lookup, Maker, Outcome, Progress, Provenance, StoreError},
};
use serde::{Serialize, Serializer};
use std::{collections::HashSet, path::Path};

/// A node of the pipeline, and what the cache holds of it.
#[derive(Clone, Debug, Serialize)]
pub struct NodeResults {
    /// Its name.
    pub(super) name: String,
    /// Whether it is a trial of a search: pictures leave it out.
    #[serde(skip)]
    pub(super) is_trial: bool,
    /// `train`, `distill` or `eval`.
    pub(super) kind: &'static str,
    /// What stands beside its name: the network's name, or the measured split.
    pub(super) what: String,
    /// Trained parameters, of a network.
    pub(super) parameters: Option<usize>,
    /// What it depends on: places in the list of nodes.
    pub(super) parents: Vec<usize>,
    /// The file that teaches it, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// What depends on it.
    pub(super) children: Vec<usize>,
    /// Of all its tasks.
    pub(super) state: NodeState,
    /// What of its state is more than its mark says: `running, epoch 3/8, 31 %`.
    pub(super) standing: Option<String>,
    /// Top-1 over the seeds, as a share: its own of an eval, of its first eval of a network.
    pub(super) accuracy: Option<Spread>,
    /// Hashed fields, of the first seed; its own and its parents' keys left out.
    pub(super) config: serde_json::Value,
    /// Of an eval, over the seeds: what it has answered to what. Entries of early versions do not tell.
    pub(super) answers: Option<Answers>,
    /// One a seed.
    pub(super) tasks: Vec<TaskResults>,
}

/// A node with a seed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TaskResults {
    pub seed: u64,
    pub key: Key,
    pub state: NodeState,
    /// State in words: how far it is, what is wrong.
    pub words: String,
    /// Of who makes it, or began to.
    pub making: Option<Making>,
    pub made: Option<EntryResults>,
}

/// A whole entry.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EntryResults {
    pub seconds: f64,
    /// Epoch of the kept weights.
    pub selected: Option<usize>,
    pub metrics: Option<Metrics>,
    /// Every epoch of a training, the first at the first index; shown as a [`Curve`].
    #[serde(rename = "curve", serialize_with = "curve")]
    pub epochs: Vec<EpochRecord>,
    pub provenance: Provenance,
    #[serde(skip)]
    answers: Option<Answers>,
}

/// Classes of which a page draws a matrix; of more it lists so many mistakes, so that it stays small.
const MATRIX: usize = 20;
const MISTAKES: usize = 20;

/// A training's epochs as lists, for pictures.
#[derive(Serialize)]
struct Curve {
    loss: Vec<f64>,
    /// In percent; nothing where no split was evaluated.
    accuracy: Vec<Option<f64>>,
}

impl NodeResults {
    /// Whether it is an eval node of the network at `node`; its teacher may be a parent as well.
    pub(super) fn measures(&self, node: usize) -> bool {
        self.kind == "eval" && self.parents.first() == Some(&node)
    }

    /// All nodes of `graph`, whose tasks have these `keys`, in the pipeline's order.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry is told as damaged.
    pub fn gather(
        graph: &Graph<'_>,
        keys: &[(KeyInputs, Key)],
        entries: &mut Entries<'_>,
    ) -> Result<Vec<Self>, StoreError> {
        let pipeline = graph.pipeline;
        let begun: HashSet<Key> = entries.store().in_progress()?.into_iter().collect();
        let mut nodes = Vec::with_capacity(pipeline.nodes.len());
        for (index, node) in pipeline.nodes.iter().enumerate() {
            let tasks = graph.of_node(index).map(|task| {
                let (seed, key) = (graph.tasks[task].seed, keys[task].1);
                let said =
                    if begun.contains(&key) { entries.store().progress(&key)? } else { None };
                Ok::<_, StoreError>(TaskResults::new(seed, key, entries.find(&key)?, said))
            });
            let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
            let config = keys[graph.of_node(index).start].0.clone();
            nodes.push(of_tasks(pipeline, index, node, &config, tasks));
        }
        // A network is as good as its first eval says.
        for index in 0..nodes.len() {
            let evals = nodes[index].children.iter().filter(|&&child| nodes[child].measures(index));
            if nodes[index].kind != "eval" {
                nodes[index].accuracy = evals.filter_map(|&child| nodes[child].accuracy).next();
            }
        }
        Ok(nodes)
    }
}

fn of_tasks(
    pipeline: &Pipeline,
    index: usize,
    node: &Node,
    inputs: &KeyInputs,
    tasks: Vec<TaskResults>,
) -> NodeResults {
    let (what, parameters) = match &node.work {
        Work::Learn(learn) => (learn.net_name.clone(), Some(learn.net.parameters())),
        Work::Eval(eval) => (format!("{} split", eval.split.name()), None),
    };
    let metrics = tasks.iter().filter_map(|task| task.made.as_ref()?.metrics.as_ref());
    let accuracy = Spread::of(&metrics.map(|metrics| metrics.top1()).collect::<Vec<_>>());
    let mut config = inputs.in_full(&pipeline.kinds);
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|name, _| name != "seed" && name != "parents");
    }
    let state = NodeState::of_all(&tasks.iter().map(|task| task.state).collect::<Vec<_>>());
    NodeResults {
        name: node.name.clone(),
        is_trial: node.is_trial,
        kind: node.kind(),
        what,
        parameters,
        parents: pipeline.dag.parents(index).to_vec(),
        file: node.teacher_file().map(file_name),
        children: pipeline.dag.children(index).to_vec(),
        state,
        standing: standing(state, &tasks),
        accuracy,
        config,
        answers: answers(&tasks),
        tasks,
    }
}

/// Without its folders, which are another machine's to the reader.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn answers(tasks: &[TaskResults]) -> Option<Answers> {
    let each = tasks.iter().filter_map(|task| task.made.as_ref()?.answers.as_ref());
    let mut all: Option<Answers> = None;
    for one in each {
        all.get_or_insert_default().add(one);
    }
    all.map(|all| if all.classes > MATRIX { all.mistakes(MISTAKES) } else { all })
}

fn standing(state: NodeState, tasks: &[TaskResults]) -> Option<String> {
    let count = |state| tasks.iter().filter(|task| task.state == state).count();
    let seeds = tasks.len();
    let mut text = match state {
        NodeState::Done | NodeState::Missing => return None,
        NodeState::Partly => {
            return Some(format!("{} of {seeds} seeds in the cache", count(NodeState::Done)));
        }
        _ if seeds == 1 => state.words().to_owned(),
        _ => format!("{} of {seeds} {}", count(state), state.words()),
    };
    let mut alike = tasks.iter().filter(|task| task.state == state);
    if let (Some(task), None) = (alike.next(), alike.next())
        && let Some(reached) = task.making.as_ref().and_then(|making| making.reached)
    {
        text += &format!(", {}", reached.brief());
    }
    Some(text)
}

impl TaskResults {
    /// Of the task with this key, under which the cache holds `found`, and of whose maker `said` is
    /// known.
    fn new(seed: u64, key: Key, found: &Lookup, said: Option<(Progress, Maker)>) -> Self {
        let (mut state, mut problem, made) = match found {
            Lookup::Missing => (NodeState::Missing, None, None),
            Lookup::Damaged(problem) => (NodeState::Damaged, Some(problem.clone()), None),
            Lookup::OtherVersion(version) => {
                let problem =
                    format!("the entry was written by another version of takd ({version})");
                (NodeState::Missing, Some(problem), None)
            }
            Lookup::Whole(entry) => match made(entry) {
                Ok(made) => (NodeState::Done, None, Some(made)),
                Err(problem) => (NodeState::Damaged, Some(problem), None),
            },
        };
        // Beside an entry, what a dead process said is past; a live one replaces the entry.
        let said =
            said.filter(|(_, maker)| *maker == Maker::Running || state == NodeState::Missing);
        let making = said.map(|said| {
            let (now, failure, making) = Making::read(said);
            (state, problem) = (now, failure);
            making
        });
        let mut words = state.words().to_owned();
        if let Some(Making { host, pid, reached, .. }) = &making {
            let reached = reached.map(|reached| format!(" at {reached},"));
            words += &format!("{} in process {pid} on {host}", reached.unwrap_or_default());
        }
        if let Some(problem) = &problem {
            words += &format!(": {problem}");
        }
        Self { seed, key, state, words, making, made }
    }
}

/// What an entry gave, or what is wrong with it.
fn made(entry: &Entry) -> Result<EntryResults, String> {
    let manifest = &entry.manifest;
    let (selected, metrics) = match &manifest.outcome {
        Outcome::Network { selected_epoch, .. } => (*selected_epoch, None),
        Outcome::Metrics { metrics, .. } => (None, Some(metrics.clone())),
        Outcome::Logits { .. } => (None, None),
    };
    let mut epochs = Vec::new();
    if manifest.files.contains_key(history::FILE) {
        let bytes = entry.read(history::FILE).map_err(|error| error.to_string())?;
        epochs = history::read(&bytes).map_err(|error| error.to_string())?;
    }
    let mut answers = None;
    if manifest.files.contains_key(Answers::FILE) {
        let bytes = entry.read(Answers::FILE).map_err(|error| error.to_string())?;
        answers = Some(serde_json::from_slice(&bytes).map_err(|error| error.to_string())?);
    }
    let (seconds, provenance) = (manifest.outcome.seconds(), manifest.provenance.clone());
    Ok(EntryResults { seconds, selected, metrics, epochs, provenance, answers })
}

fn curve<S: Serializer>(epochs: &[EpochRecord], serializer: S) -> Result<S::Ok, S::Error> {
    let curve = Curve {
        loss: epochs.iter().map(|epoch| rounded(epoch.loss)).collect(),
        accuracy: epochs.iter().map(|e| e.accuracy.map(|share| rounded(share * 100.0))).collect(),
    };
    Some(curve).filter(|_| !epochs.is_empty()).serialize(serializer)
}

/// Five digits, which are finer than a picture: a page of 1,000 trainings stays small.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}
