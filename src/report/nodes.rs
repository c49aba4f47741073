//! What the cache holds of each node: state, epochs, measurement, provenance.

use super::Spread;
use crate::{
    graph::Graph,
    history::{self, EpochRecord},
    key::{Key, KeyInputs},
    metrics::Metrics,
    spec::{Node, Pipeline, Work},
    store::{Depth, Entry, Lookup, Outcome, Provenance, Store, StoreError},
};
use serde::{Serialize, Serializer};

/// A node of the pipeline, and what the cache holds of it.
#[derive(Clone, Debug, Serialize)]
pub struct NodeResults {
    /// Its name.
    pub(super) name: String,
    /// `train`, `distill` or `eval`.
    pub(super) kind: &'static str,
    /// What stands beside its name: the network's name, or the measured split.
    pub(super) what: String,
    /// Trained parameters, of a network.
    pub(super) parameters: Option<usize>,
    /// What it depends on: places in the list of nodes.
    pub(super) parents: Vec<usize>,
    /// What depends on it.
    pub(super) children: Vec<usize>,
    /// Of all its tasks.
    pub(super) state: State,
    /// Top-1 over the seeds, as a share: its own of an eval, of its first eval of a network.
    pub(super) accuracy: Option<Spread>,
    /// Hashed fields, of the first seed; its own and its parents' keys left out.
    pub(super) config: serde_json::Value,
    /// One a seed.
    pub(super) tasks: Vec<TaskResults>,
}

/// What the cache holds of a task or of all tasks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Everything.
    Done,
    /// Some seeds.
    Partly,
    /// Nothing.
    Missing,
    /// An entry that must not be used.
    Damaged,
}

/// A node with a seed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TaskResults {
    pub seed: u64,
    pub key: Key,
    pub state: State,
    /// What is wrong with a damaged entry.
    pub problem: Option<String>,
    pub made: Option<Made>,
}

/// A whole entry.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Made {
    pub seconds: f64,
    /// Epoch of the kept weights.
    pub selected: Option<usize>,
    pub metrics: Option<Metrics>,
    /// Every epoch of a training, the first at the first place; shown as a [`Curve`].
    #[serde(rename = "curve", serialize_with = "curve")]
    pub epochs: Vec<EpochRecord>,
    pub provenance: Provenance,
}

/// A training's epochs as lists, for pictures.
#[derive(Serialize)]
struct Curve {
    loss: Vec<f64>,
    /// In percent; nothing where no split was judged.
    accuracy: Vec<Option<f64>>,
}

impl NodeResults {
    /// All nodes of `graph`, whose tasks have these `keys`, in the pipeline's order.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry is told as damaged.
    pub fn gather(
        graph: &Graph<'_>,
        keys: &[(KeyInputs, Key)],
        store: &Store,
    ) -> Result<Vec<Self>, StoreError> {
        let pipeline = graph.pipeline;
        let mut nodes = Vec::with_capacity(pipeline.nodes.len());
        for (place, node) in pipeline.nodes.iter().enumerate() {
            let tasks = graph.of_node(place).map(|task| {
                let key = keys[task].1;
                let (state, problem, made) = match store.find(&key, Depth::Manifest)? {
                    Lookup::Missing => (State::Missing, None, None),
                    Lookup::Damaged(problem) => (State::Damaged, Some(problem), None),
                    Lookup::Whole(entry) => match made(&entry) {
                        Ok(made) => (State::Done, None, Some(made)),
                        Err(problem) => (State::Damaged, Some(problem), None),
                    },
                };
                Ok::<_, StoreError>(TaskResults {
                    seed: graph.tasks[task].seed,
                    key,
                    state,
                    problem,
                    made,
                })
            });
            let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
            let config = keys[graph.of_node(place).start].0.clone();
            nodes.push(of_tasks(pipeline, place, node, &config, tasks));
        }
        // A network is as good as its first eval says.
        for place in 0..nodes.len() {
            let evals = nodes[place].children.iter().filter(|&&child| nodes[child].kind == "eval");
            if nodes[place].kind != "eval" {
                nodes[place].accuracy = evals.filter_map(|&child| nodes[child].accuracy).next();
            }
        }
        Ok(nodes)
    }
}

fn of_tasks(
    pipeline: &Pipeline,
    place: usize,
    node: &Node,
    inputs: &KeyInputs,
    tasks: Vec<TaskResults>,
) -> NodeResults {
    let (what, parameters) = match &node.work {
        Work::Learn(learn) => (learn.net_name.clone(), Some(learn.net.parameters())),
        Work::Eval(eval) => (format!("{:?} split", eval.split).to_lowercase(), None),
    };
    let metrics = tasks.iter().filter_map(|task| task.made.as_ref()?.metrics.as_ref());
    let accuracy = Spread::of(&metrics.map(|metrics| metrics.top1).collect::<Vec<_>>());
    let mut config = serde_json::to_value(inputs).expect("plain data is always JSON");
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|name, _| name != "seed" && name != "parents");
    }
    NodeResults {
        name: node.name.clone(),
        kind: node.kind(),
        what,
        parameters,
        parents: pipeline.dag.parents(place).to_vec(),
        children: pipeline.dag.children(place).to_vec(),
        state: overall(&tasks),
        accuracy,
        config,
        tasks,
    }
}

fn overall(tasks: &[TaskResults]) -> State {
    let all = |state| tasks.iter().all(|task| task.state == state);
    if tasks.iter().any(|task| task.state == State::Damaged) {
        State::Damaged
    } else if all(State::Done) {
        State::Done
    } else if all(State::Missing) {
        State::Missing
    } else {
        State::Partly
    }
}

/// What an entry gave, or what is wrong with it.
fn made(entry: &Entry) -> Result<Made, String> {
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
    let (seconds, provenance) = (manifest.outcome.seconds(), manifest.provenance.clone());
    Ok(Made { seconds, selected, metrics, epochs, provenance })
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
