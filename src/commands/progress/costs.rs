//! What steps will cost, from what like ones have cost.

use crate::key::{KeyInputs, Kind};
use serde_json::json;
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
};

/// Seconds that entries took on one device.
#[derive(Default)]
pub(in crate::commands) struct Costs {
    /// Seconds an epoch of the same net with the same batches on the same images; or seconds of the
    /// same measurement of any net.
    like: HashMap<String, Mean>,
    /// Seconds an epoch and multiply-add, of any net on the same images.
    scale: HashMap<String, Mean>,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn get(&self) -> f64 {
        self.sum / self.count
    }
}

/// What decides a step's cost, as far as its inputs tell; made once a step.
pub(in crate::commands) struct Profile {
    /// Name of those that cost the same: an epoch of a training, or the whole of anything else.
    like: String,
    training: Option<Training>,
}

/// What else decides the cost of a training.
struct Training {
    /// Name of those that cost the same an epoch and multiply-add.
    images: String,
    epochs: f64,
    /// Multiply-adds.
    work: f64,
}

impl Profile {
    /// Of the step that has these inputs.
    pub fn new(inputs: &KeyInputs) -> Self {
        let (Some(net), Some(recipe), Some(data)) = (&inputs.net, &inputs.recipe, &inputs.data)
        else {
            let like = json!([inputs.kind, inputs.data, inputs.split]).to_string();
            return Self { like, training: None };
        };
        let images = json!([data.train, data.validation]);
        let like = json!([inputs.kind, net, recipe.batch_size, recipe.augment, images]);
        let (epochs, work) = (recipe.epochs as f64, net.multiply_adds() as f64);
        let training = Training { images: images.to_string(), epochs, work };
        Self { like: like.to_string(), training: Some(training) }
    }
}

impl Costs {
    /// Takes down that a step took so many seconds.
    pub fn add(&mut self, Profile { like, training }: &Profile, seconds: f64) {
        let mean = self.like.entry(like.clone()).or_default();
        match training {
            Some(Training { images, epochs, work }) => {
                mean.add(seconds / epochs);
                self.scale.entry(images.clone()).or_default().add(seconds / epochs / work);
            }
            None => mean.add(seconds),
        }
    }

    /// Seconds that a step will take; nothing if nothing like it was seen.
    pub fn expect(&self, Profile { like, training }: &Profile) -> Option<f64> {
        let same = self.like.get(like).map(Mean::get);
        let Some(Training { images, epochs, work }) = training else {
            // Reading a file, and measuring, are short beside any training.
            return Some(same.unwrap_or(0.0));
        };
        let scaled = || self.scale.get(images).map(|mean| mean.get() * work);
        Some(epochs * same.or_else(scaled)?)
    }
}

/// What is left of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rest {
    /// It is over, or will not run.
    Nothing,
    /// It runs, for so many more seconds.
    Running(f64),
    /// It will run for so many seconds.
    Waiting(f64),
}

/// Seconds until every step is over, when at most `jobs` run at a time and of those that could start
/// the first does, as `execute` has it.
pub(super) fn makespan(rest: &[Rest], parents: &[Vec<usize>], jobs: usize) -> f64 {
    let open = |step: usize| rest[step] != Rest::Nothing;
    let mut children = vec![Vec::new(); rest.len()];
    let mut missing = vec![0; rest.len()];
    for step in (0..rest.len()).filter(|&step| open(step)) {
        for &parent in parents[step].iter().filter(|&&parent| open(parent)) {
            children[parent].push(step);
            missing[step] += 1;
        }
    }
    // Milliseconds, since floats have no total order; no run lasts 500 million years.
    let millis = |seconds: f64| (seconds.max(0.0) * 1000.0) as u64;
    let (mut now, mut running, mut ready) = (0, BinaryHeap::new(), BTreeSet::new());
    for (step, rest) in rest.iter().enumerate() {
        match rest {
            Rest::Running(seconds) => running.push(Reverse((millis(*seconds), step))),
            Rest::Waiting(_) if missing[step] == 0 => {
                ready.insert(step);
            }
            Rest::Waiting(_) | Rest::Nothing => {}
        }
    }
    loop {
        while running.len() < jobs.max(1)
            && let Some(step) = ready.pop_first()
        {
            let Rest::Waiting(seconds) = rest[step] else { continue };
            running.push(Reverse((now + millis(seconds), step)));
        }
        let Some(Reverse((end, step))) = running.pop() else { return now as f64 / 1000.0 };
        now = end;
        for &child in &children[step] {
            missing[child] -= 1;
            if missing[child] == 0 && matches!(rest[child], Rest::Waiting(_)) {
                ready.insert(child);
            }
        }
    }
}

/// Whether it is what takes the time.
pub(super) fn is_training(kind: Kind) -> bool {
    matches!(kind, Kind::Train | Kind::Distill)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_the_walk() {
        let none: Vec<Vec<usize>> = vec![vec![]; 3];
        let wait = Rest::Waiting;
        assert_eq!(makespan(&[wait(3.0), wait(2.0), wait(2.0)], &none, 1), 7.0);
        assert_eq!(makespan(&[wait(3.0), wait(2.0), wait(2.0)], &none, 2), 4.0);
        assert_eq!(makespan(&[Rest::Running(1.0), wait(2.0), Rest::Nothing], &none, 1), 3.0);
        // A chain takes its sum, however many could run side by side.
        let chain = [vec![], vec![0], vec![1]];
        assert_eq!(makespan(&[Rest::Running(0.5), wait(1.0), wait(1.0)], &chain, 8), 2.5);
        assert_eq!(makespan(&[Rest::Nothing, wait(1.0), wait(1.0)], &chain, 8), 2.0);
        assert_eq!(makespan(&[Rest::Nothing; 3], &chain, 8), 0.0);
    }
}
