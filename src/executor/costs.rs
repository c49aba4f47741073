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

/// What another training makes on its way costs nothing more.
const LEFT_BEHIND: &str = "left behind";

impl Profile {
    /// Of a step of a plan.
    pub fn of(step: &Step) -> Self {
        let new = if step.is_left_behind() {
            Self { like: LEFT_BEHIND.to_owned(), training: None, multiply_adds: 0.0 }
        } else {
            Self::new(&step.inputs, step.forward)
        };
        Self { multiply_adds: step.multiply_adds, ..new }
    }

    /// Of the entry that has these inputs; a forward pass over one image of its networks takes so many
    /// multiply-adds.
    pub fn new(inputs: &KeyInputs, forward: f64) -> Self {
        let multiply_adds = 0.0;
        let (Some(net), Some(recipe), Some(data)) = (&inputs.net, &inputs.recipe, &inputs.data)
        else {
            let like = json!([inputs.kind, inputs.data, inputs.split]).to_string();
            return Self { like, training: None, multiply_adds };
        };
        let images = json!([data.train, data.validation, data.scoring]);
        let (size, augment) = (recipe.batch_size, &recipe.augment);
        let like = match &inputs.mutual {
            None => json!([inputs.kind, net, size, augment, images]),
            // Whichever of them it is called.
            Some(mutual) => json!([inputs.kind, mutual.nets, size, augment, images]),
        };
        let epochs = inputs.epoch.unwrap_or(recipe.epochs) as f64;
        let work = forward;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;

    fn inputs(more: &str) -> KeyInputs {
        let net = r#"{"layers":["fc10"],"input":{"channels":1,"height":2,"width":2},"classes":10}"#;
        let recipe =
            r#"{"epochs":4,"batch_size":8,"optimizer":{"adam":{"lr":0.1}},"select":"last"}"#;
        let text = format!(
            r#"{{"version":1,"kind":"train","net":{net},"recipe":{recipe},"data":{{"train":""}}{more}}}"#
        );
        serde_json::from_str(&text.replace("NET", net)).unwrap()
    }

    #[test]
    fn a_network_at_an_epoch_took_the_epochs_up_to_there() {
        let mut costs = Costs::default();
        costs.add(&Profile::new(&inputs(r#","epoch":2"#), 50.0), 6.0);
        assert_eq!(costs.expect(&Profile::new(&inputs(""), 50.0)), Some(12.0));
    }

    #[test]
    fn networks_that_learn_together_cost_what_others_of_them_did_and_not_what_one_alone_does() {
        let mutual = |place| inputs(&format!(r#","mutual":{{"nets":[NET,NET],"place":{place}}}"#));
        let (first, second) = (Profile::new(&mutual(0), 100.0), Profile::new(&mutual(1), 100.0));
        let mut costs = Costs::default();
        costs.add(&Profile::new(&inputs(""), 50.0), 8.0);
        assert_eq!(costs.expect(&first), Some(16.0), "by the multiply-adds of both");
        costs.add(&first, 20.0);
        assert_eq!(costs.expect(&second), Some(20.0));
        assert_eq!(costs.expect(&Profile::new(&inputs(""), 50.0)), Some(8.0));
    }

    #[test]
    fn what_another_step_leaves_costs_nothing() {
        let mut costs = Costs::default();
        let inputs = inputs("");
        costs.add(&Profile::new(&inputs, 50.0), 8.0);
        let (key, tasks, parents) = (inputs.key(), vec![0], vec![0]);
        let (forward, multiply_adds, action) = (50.0, 0.0, Action::Skip);
        let step = |left_by| {
            let (inputs, tasks, parents) = (inputs.clone(), tasks.clone(), parents.clone());
            let action = action.clone();
            Step { key, inputs, tasks, parents, left_by, forward, multiply_adds, action }
        };
        assert_eq!(costs.expect(&Profile::of(&step(None))), Some(8.0));
        assert_eq!(costs.expect(&Profile::of(&step(Some(0)))), Some(0.0));
    }
}
