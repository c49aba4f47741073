//! The rows of a table: networks and their results.

use super::Spread;
use crate::{
    footprint::Footprint,
    key::Key,
    metric::{Answers, Metrics},
    recipe::Select,
    store::Latency,
};
use serde::Serialize;
use std::ops::Not;

/// One network of a table.
#[derive(Clone, Debug, Serialize)]
pub struct TableRow {
    /// First column.
    pub label: String,
    /// The published accuracy, in percent.
    pub paper: Option<f64>,
    /// What takd has; nothing in a row that only quotes.
    pub ours: Option<MeasuredRow>,
}

/// A network and its results.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuredRow {
    /// The node that trains it.
    pub node: String,
    /// The network's name.
    pub net: String,
    /// Trained parameters.
    pub parameters: usize,
    /// Multiply-adds of one image's forward pass.
    pub multiply_adds: usize,
    /// What else it takes of a device, where that is asked for.
    #[serde(flatten)]
    pub takes: Takes,
    /// Classes of its data.
    pub classes: usize,
    /// Whether another node learns from it.
    pub teaches: bool,
    /// Updates of one training; nothing for imported weights.
    pub steps: Option<usize>,
    /// The kind of objective with a teacher that it learns by.
    pub objective: Option<String>,
    /// How its epoch was selected; nothing for imported weights.
    pub select: Option<Select>,
    /// Of a search's winner, how it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searched: Option<Searched>,
    /// Which class was taken for which, over all seeds, where a table asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// One result a seed, in the pipeline's order.
    pub seeds: Vec<SeedResult>,
}

/// What a network takes of a device beside parameters and multiply-adds; nothing that was not asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Takes {
    /// Bytes of its weights as safetensors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Bytes of its graph in 8 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_int8: Option<usize>,
    /// Time for an image on this machine's CPU, once it is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// How the values of a network were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Searched {
    /// In words: by how many trials, and what chose among them.
    pub how: String,
    /// Whether the test images chose, as in the authors' code.
    pub as_published: bool,
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
    /// Which class was taken for which, where a table asks for that.
    #[serde(skip)]
    pub answers: Option<Answers>,
    /// Whether the measurement is not there because it, or something that it needs, has failed.
    #[serde(skip_serializing_if = "Not::not")]
    pub failed: bool,
}

impl MeasuredRow {
    /// Top-1 over the seeds that are measured, as a share.
    pub fn accuracy(&self) -> Option<Spread> {
        let metrics = self.seeds.iter().filter_map(|seed| seed.metrics.as_ref());
        Spread::of(&metrics.map(|metrics| metrics.top1()).collect::<Vec<_>>())
    }

    /// Wall time of one training, over the seeds that are trained.
    pub fn seconds(&self) -> Option<Spread> {
        Spread::of(&self.seeds.iter().filter_map(|seed| seed.seconds).collect::<Vec<_>>())
    }

    /// Wall time of one update in milliseconds, over the seeds that are trained: the training's own, its
    /// evaluations included.
    pub fn step(&self) -> Option<f64> {
        let seconds = self.seconds()?.mean;
        self.steps.filter(|&steps| steps > 0).map(|steps| seconds * 1e3 / steps as f64)
    }

    /// What it takes of a device, where that is known.
    pub fn footprint(&self, what: Footprint) -> Option<f64> {
        match what {
            Footprint::Parameters => Some(self.parameters as f64),
            Footprint::MultiplyAdds => Some(self.multiply_adds as f64),
            Footprint::Size => self.takes.size.map(|bytes| bytes as f64),
            Footprint::SizeInt8 => self.takes.size_int8.map(|bytes| bytes as f64),
            Footprint::Latency => self.takes.latency.as_ref().map(|latency| latency.median),
        }
    }

    /// Images that go through it in a second, one at a time on one thread of this machine's CPU.
    pub fn images_per_second(&self) -> Option<f64> {
        self.footprint(Footprint::Latency).map(|ms| 1e3 / ms)
    }

    /// The accuracy of a class, over the seeds.
    pub fn accuracy_of(&self, class: usize) -> Option<Spread> {
        let each = self.seeds.iter().filter_map(|seed| seed.answers.as_ref()?.accuracy_of(class));
        Spread::of(&each.collect::<Vec<_>>())
    }

    /// Seeds without a measurement.
    pub fn missing(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.metrics.is_none()).count()
    }

    /// Seeds without a measurement because something has failed.
    pub fn failed(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.failed).count()
    }

    /// Whether its epoch, or its values, were selected on the test split.
    pub fn is_test_selected(&self) -> bool {
        let searched = self.searched.as_ref().is_some_and(|searched| searched.as_published);
        searched || self.select == Some(Select::BestTest)
    }

    /// Whether it teaches although some seed's accuracy cannot be told from guessing: it is within
    /// two standard deviations of what one class in so many gives on as many images.
    pub fn teaches_at_chance(&self) -> bool {
        let chance = 1.0 / self.classes.max(1) as f64;
        let guessed = |metrics: &Metrics| {
            let deviation = (chance * (1.0 - chance) / metrics.samples.max(1) as f64).sqrt();
            metrics.top1() <= chance + 2.0 * deviation
        };
        self.teaches && self.seeds.iter().filter_map(|seed| seed.metrics.as_ref()).any(guessed)
    }
}
