//! A teacher's logits over its training split: computed once, read by every student.
//!
//! They are an entry of their own, under a key made of the teacher's key and the data. An entry
//! never changes once it is in place, and whether a network will ever teach is not known when it
//! is trained.

use super::{
    files::{LOGITS, WEIGHTS, read_logits, read_weights, write_logits},
    measure::finite,
    runner::{Job, failed},
};
use crate::{
    config::{Data, Net, Recipe, Split},
    data::View,
    execute::Failure,
    key::Key,
    learn::{self, Logits},
    net::Network,
    plan::Step,
    store::Outcome,
};
use std::time::Instant;

/// What a student learns from.
pub(super) enum Teaching {
    /// Logits over the images as they are.
    Stored(Logits),
    /// The teacher itself: augmented images are new ones at each step.
    Live(Box<Network>),
}

impl Job<'_> {
    pub(super) fn teaching(
        &self,
        recipe: &Recipe,
        step: &Step,
        train: &View,
    ) -> Result<Teaching, Failure> {
        if recipe.augment.is_empty() {
            Ok(Teaching::Stored(self.teacher_logits(step, train)?))
        } else {
            Ok(Teaching::Live(Box::new(self.trained(&step.inputs.parents[0])?)))
        }
    }

    fn teacher_logits(&self, step: &Step, train: &View) -> Result<Logits, Failure> {
        let inputs = step.inputs.teacher_logits().expect("only a distillation has a teacher");
        let key = inputs.key();
        if let Some(lock) = self.lock(&key, false)? {
            let started = Instant::now();
            let net = self.trained(&step.inputs.parents[0])?;
            let values = learn::infer(&net, train).map_err(failed)?;
            finite(&values)?;
            let file = write_logits(&train.ids, &values).map_err(failed)?;
            let seconds = started.elapsed().as_secs_f64();
            let outcome = Outcome::Logits { samples: train.len(), seconds };
            self.commit(&lock, &inputs, &[(LOGITS, file)], outcome)?;
        }
        let (_, bytes) = self.read(&key, LOGITS)?;
        read_logits(&bytes).map_err(failed)
    }

    /// The trained network in an entry, on the device.
    pub(super) fn trained(&self, key: &Key) -> Result<Network, Failure> {
        let (entry, bytes) = self.read(key, WEIGHTS)?;
        let Some(config): Option<&Net> = entry.manifest.inputs.net.as_ref() else {
            return Err(failed(format!("the entry {} holds no network", key.short())));
        };
        // Every initial weight is replaced; the seed does not matter.
        let mut net =
            Network::init(config, 0, &self.runner.device.device).with_ops(self.runner.device.ops);
        net.load(read_weights(&bytes).map_err(failed)?).map_err(failed)?;
        Ok(net)
    }

    pub(super) fn view(&self, data: &Data, split: Split) -> Result<View, Failure> {
        let device = &self.runner.device.device;
        View::new(&*self.dataset(data)?, data, split, device).map_err(failed)
    }
}
