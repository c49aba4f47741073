//! What steps will cost, from what like ones have cost.

use crate::{key::KeyInputs, plan::Step};
use serde_json::json;
use std::collections::HashMap;

/// Seconds that entries took on one device.
#[derive(Clone, Default)]
pub struct Costs {
    /// Seconds an epoch of the same net with the same batches on the same images; or seconds of the
    /// same measurement of any net.
    like: HashMap<String, Mean>,
    /// Seconds an epoch and multiply-add, of any net on the same images.
    scale: HashMap<String, Mean>,
    /// Seconds a multiply-add, of any training.
    pace: Mean,
}

#[derive(Clone, Default)]
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
pub struct Profile {
    /// Name of those that cost the same: an epoch of a training, or the whole of anything else.
    like: String,
    training: Option<Training>,
    /// Multiply-adds of the whole step; 0 where it is not known how many images there are.
    multiply_adds: f64,
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
    /// Of a step of a plan.
    pub fn of(step: &Step) -> Self {
        let new = Self::new(&step.inputs, step.forward);
        Self { multiply_adds: step.multiply_adds, ..new }
    }

    /// Of the entry that has these inputs; a forward pass over one image of its network takes so many
    /// multiply-adds.
    pub fn new(inputs: &KeyInputs, forward: f64) -> Self {
        let multiply_adds = 0.0;
        let (Some(net), Some(recipe), Some(data)) = (&inputs.net, &inputs.recipe, &inputs.data)
        else {
            let like = json!([inputs.kind, inputs.data, inputs.split]).to_string();
            return Self { like, training: None, multiply_adds };
        };
        let images = json!([data.train, data.validation]);
        let like = json!([inputs.kind, net, recipe.batch_size, recipe.augment, images]);
        let (epochs, work) = (recipe.epochs as f64, forward);
        let training = Training { images: images.to_string(), epochs, work };
        Self { like: like.to_string(), training: Some(training), multiply_adds }
    }
}

impl Costs {
    /// Takes down that a step took so many seconds.
    pub fn add(&mut self, profile: &Profile, seconds: f64) {
        let Profile { like, training, multiply_adds } = profile;
        let mean = self.like.entry(like.clone()).or_default();
        match training {
            Some(Training { images, epochs, work }) => {
                mean.add(seconds / epochs);
                self.scale.entry(images.clone()).or_default().add(seconds / epochs / work);
                if *multiply_adds > 0.0 {
                    self.pace.add(seconds / multiply_adds);
                }
            }
            None => mean.add(seconds),
        }
    }

    /// Seconds that a step will take; nothing if nothing like it was seen.
    pub fn expect(&self, Profile { like, training, .. }: &Profile) -> Option<f64> {
        let same = self.like.get(like).map(Mean::get);
        let Some(Training { images, epochs, work }) = training else {
            // Reading a file, and measuring, are short beside any training.
            return Some(same.unwrap_or(0.0));
        };
        let scaled = || self.scale.get(images).map(|mean| mean.get() * work);
        Some(epochs * same.or_else(scaled)?)
    }

    /// Learns the pace from what is known of some of these steps.
    pub(super) fn calibrate(&mut self, profiles: &[Profile]) {
        for profile in profiles.iter().filter(|profile| profile.multiply_adds > 0.0) {
            if let Some(seconds) = self.expect(profile).filter(|&seconds| seconds > 0.0) {
                self.pace.add(seconds / profile.multiply_adds);
            }
        }
    }

    /// Seconds that a step will take, to put steps in order: by what like ones took, or else by its
    /// multiply-adds.
    pub fn guess(&self, profile: &Profile) -> f64 {
        let pace = if self.pace.count > 0.0 { self.pace.get() } else { PACE };
        let known = self.expect(profile).filter(|&seconds| seconds > 0.0);
        known.unwrap_or(profile.multiply_adds * pace)
    }
}

/// Seconds a multiply-add before anything was measured: the order of magnitude of a core. It only
/// weighs steps of which nothing is known against each other.
const PACE: f64 = 1e-10;
