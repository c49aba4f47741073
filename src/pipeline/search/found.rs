//! A search as far as it is decided.

use crate::{
    dataset::Split,
    metric::Metric,
    search::{Point, Space, TrialState},
};

/// A search over one or more methods, each with the same budget.
#[derive(Clone, Debug)]
pub struct Search {
    /// As its table is called.
    pub name: String,
    /// What decides which trial is best.
    pub metric: &'static Metric,
    /// On which images.
    pub split: Split,
    /// Whether trials are scored on the images that also picked the epoch of their weights.
    pub reuses_images: bool,
    /// Seeds of the trials.
    pub seeds: Vec<u64>,
    /// How points are drawn, as it is written.
    pub sampler: &'static str,
    /// Most trials of a method.
    pub trials: usize,
    /// What each method may train, in epochs of all seeds together.
    pub budget: u64,
    /// Epochs at which trials are compared.
    pub rungs: Vec<usize>,
    /// What is compared.
    pub methods: Vec<Method>,
}

/// A node, and the trials of its values.
#[derive(Clone, Debug)]
pub struct Method {
    /// The node that the trials vary.
    pub node: String,
    /// The node that has the values of the best trial, once they are known.
    pub winner: String,
    /// Paths of the fields that vary.
    pub fields: Vec<String>,
    /// Where they vary.
    pub space: Space,
    /// In the order of their drawing; those that are decided so far.
    pub trials: Vec<Trial>,
    /// Index of the best one, once the search has ended.
    pub best: Option<usize>,
    /// Whether more trials follow.
    pub is_open: bool,
    /// Epochs of its trials so far, and of its assistants.
    pub epochs: u64,
    /// Epochs of them that its assistants took.
    pub charged: u64,
}

/// A trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its node.
    pub name: String,
    /// As they are written, one for each field; nothing where the field stays as it is.
    pub values: Vec<Option<String>>,
    /// The same as the sampler knows them.
    pub point: Point,
    /// Names of the eval nodes that score it, one for each rung that it reaches and one for its end.
    pub evals: Vec<String>,
    /// What became of it.
    pub state: TrialState,
    /// Its scores so far, in the unit of the metric.
    pub scores: Vec<f64>,
    /// Epochs that it trains.
    pub epochs: u64,
}

impl Search {
    /// Whether trials are chosen by the images that the tables are made of, as the authors' code does.
    pub fn is_as_published(&self) -> bool {
        self.split == Split::Test
    }

    /// How far it is, in a line for people.
    pub fn so_far(&self) -> String {
        let methods = self.methods.iter().map(|method| {
            let decided = method.trials.iter().filter(|trial| trial.state != TrialState::Open);
            let scores = method.trials.iter().filter(|t| t.state == TrialState::Finished);
            let scores = scores.filter_map(|trial| trial.scores.last().copied());
            let sign = self.metric.better.sign();
            let better = |a: f64, b: f64| if b * sign > a * sign { b } else { a };
            let scale = self.metric.unit.scale();
            let best = scores.reduce(better).map(|best| format!(", best {:.2}", best * scale));
            format!("{} {} trials{}", method.node, decided.count(), best.unwrap_or_default())
        });
        format!("search {}: {}", self.name, methods.collect::<Vec<_>>().join("; "))
    }

    /// The method whose winner is the node called `name`, and the search's.
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.winner == name)
    }
}

impl Method {
    /// Trials that diverged.
    pub fn failed(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.state == TrialState::Failed)
    }
}
