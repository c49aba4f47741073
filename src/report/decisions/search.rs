//! A search: its trials, its best, and what mattered.

use crate::{
    dataset::Split,
    metric::Metric,
    pipeline::{Method, Search, Trial},
    report::{plural, split_name},
    search::{TrialState, expected_best, importance},
};
use serde::Serialize;

/// A search as far as it has come.
#[derive(Clone, Debug, Serialize)]
pub struct SearchResults {
    /// As its table is called.
    pub name: String,
    /// How trials are drawn.
    pub sampler: &'static str,
    /// What decides which is best.
    #[serde(serialize_with = "metric_name")]
    pub metric: &'static Metric,
    /// On which images.
    pub split: Split,
    /// Whether these also picked the epoch of the trials' weights.
    pub reuses_images: bool,
    /// Seeds of the trials.
    pub seeds: Vec<u64>,
    /// Epochs that each method may train.
    pub budget: u64,
    /// Epochs at which trials were compared.
    pub rungs: Vec<usize>,
    /// What was compared.
    pub methods: Vec<MethodResults>,
}

/// The trials of one node.
#[derive(Clone, Debug, Serialize)]
pub struct MethodResults {
    /// The node that was varied.
    pub node: String,
    /// The node with the best values.
    pub winner: String,
    /// What varied.
    pub fields: Vec<String>,
    /// In the order of their drawing.
    pub trials: Vec<TrialResults>,
    /// Index of the best, once the search has ended.
    pub best: Option<usize>,
    /// Epochs of trials and assistants.
    pub epochs: u64,
    /// Epochs of assistants among them.
    pub charged: u64,
    /// The expected best of n of the finished trials, n from 1.
    pub expected_best: Vec<f64>,
    /// The share of the scores' variance that each field explains by itself.
    pub importance: Vec<f64>,
}

/// A trial.
#[derive(Clone, Debug, Serialize)]
pub struct TrialResults {
    /// Its node.
    pub node: String,
    /// For each field its value; nothing where the field stayed as it was.
    pub values: Vec<Option<String>>,
    /// Where each value lies between the least and the greatest, in [0, 1].
    pub places: Vec<Option<f64>>,
    /// `open`, `stopped`, `failed` or `finished`.
    pub state: &'static str,
    /// At each rung that it reached, and at its end.
    pub scores: Vec<f64>,
    /// Epochs that it trained.
    pub epochs: u64,
}

fn metric_name<S: serde::Serializer>(metric: &&Metric, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(metric.name)
}

impl SearchResults {
    pub(in crate::report) fn of(search: &Search) -> Self {
        Self {
            name: search.name.clone(),
            sampler: search.sampler,
            metric: search.metric,
            split: search.split,
            reuses_images: search.reuses_images,
            seeds: search.seeds.clone(),
            budget: search.budget,
            rungs: search.rungs.clone(),
            methods: search.methods.iter().map(|m| method(m, search.metric)).collect(),
        }
    }

    /// How trials were chosen: `by accuracy on the validation split, seed 32`.
    pub fn by(&self) -> String {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let searched = |method: &MethodResults| method.fields.iter().any(|field| field == "seed");
        let seed = match self.methods.iter().all(searched) {
            true => "the seed searched as well".to_owned(),
            false => format!("seed{} {}", plural(seeds.len()), seeds.join(", ")),
        };
        let reused = if self.reuses_images { ", which also picked the epochs" } else { "" };
        let (title, split) = (title(self.metric), split_name(self.split));
        format!("by {title} on the {split} split{reused}, {seed}")
    }

    /// What it has found, in a line for each method.
    pub fn sentences(&self) -> Vec<String> {
        let (sampler, budget) = (self.sampler, self.budget);
        let by = self.by();
        let mut lines =
            vec![format!("search {} ({sampler}, {budget} epochs each): {by}", self.name)];
        lines.extend(self.methods.iter().map(|method| method.sentence(self.metric)));
        let failed = self.methods.iter().flat_map(|method| &method.trials);
        let failed: Vec<&str> =
            failed.filter(|trial| trial.state == "failed").map(|trial| &*trial.node).collect();
        if !failed.is_empty() {
            let counts = if failed.len() == 1 { "it counts" } else { "they count" };
            lines.push(format!("  {} failed: {counts} as the worst", failed.join(", ")));
        }
        lines
    }
}

impl MethodResults {
    fn sentence(&self, metric: &Metric) -> String {
        let trials = self.trials.len();
        let charged = match self.charged {
            0 => String::new(),
            charged => format!(", {charged} of them its assistants'"),
        };
        let spent = format!("{trials} trial{}, {} epochs{charged}", plural(trials), self.epochs);
        let Some(best) = self.best else { return format!("  {}: open; {spent}", self.winner) };
        let TrialResults { values, scores, .. } = &self.trials[best];
        let set = self.fields.iter().zip(values);
        let set = set.filter_map(|(field, value)| Some(format!("{field} = {}", value.as_ref()?)));
        let score = scores.last().map_or(f64::NAN, |score| score * metric.unit.scale());
        let mattered = self.importance.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let mattered = mattered.filter(|(_, share)| self.fields.len() > 1 && **share > 0.0);
        let mattered = mattered.map_or_else(String::new, |(field, share)| {
            format!("; {} explains {:.0} % of the scores", self.fields[field], share * 100.0)
        });
        let set = set.collect::<Vec<_>>().join(", ");
        format!("  {}: {score:.2} in trial {best} of {spent}: {set}{mattered}", self.winner)
    }
}

fn method(method: &Method, metric: &Metric) -> MethodResults {
    let finished: Vec<&Trial> =
        method.trials.iter().filter(|trial| trial.state == TrialState::Finished).collect();
    let scores: Vec<f64> =
        finished.iter().filter_map(|trial| trial.scores.last().copied()).collect();
    let sign = metric.better.sign();
    let signed: Vec<f64> = scores.iter().map(|score| score * sign).collect();
    let expected = expected_best(&signed).into_iter().map(|best| best * sign).collect();
    let points: Vec<_> = finished.iter().map(|trial| &trial.point).collect();
    let space = &method.space;
    let trials = method.trials.iter().map(|trial| {
        let places = space.dimensions.iter().zip(&trial.point);
        TrialResults {
            node: trial.name.clone(),
            values: trial.values.clone(),
            places: places.map(|(dimension, at)| dimension.domain.unit(at)).collect(),
            state: match trial.state {
                TrialState::Open => "open",
                TrialState::Stopped => "stopped",
                TrialState::Failed => "failed",
                TrialState::Finished => "finished",
            },
            scores: trial.scores.clone(),
            epochs: trial.epochs,
        }
    });
    MethodResults {
        node: method.node.clone(),
        winner: method.winner.clone(),
        fields: method.fields.clone(),
        trials: trials.collect(),
        best: method.best,
        epochs: method.epochs,
        charged: method.charged,
        expected_best: expected,
        importance: if scores.len() < 3 {
            vec![0.0; space.dimensions.len()]
        } else {
            importance(space, &points, &scores)
        },
    }
}

/// A metric as sentences have it.
pub(super) fn title(metric: &Metric) -> &'static str {
    if metric.name == "top1" { "accuracy" } else { metric.title }
}
