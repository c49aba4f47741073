//! An eval node.

use super::runner::{Job, failed};
use crate::{
    execute::{Failure, Made},
    learn,
    metrics::metrics,
    plan::Step,
    spec::Eval,
    store::{KeyLock, Outcome},
};
use std::time::Instant;

impl Job<'_> {
    pub(super) fn measure(
        &self,
        eval: &Eval,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Made, Failure> {
        let started = Instant::now();
        let learn = self.runner.graph.pipeline.learn(eval.of);
        let net = self.trained(&step.inputs.parents[0])?;
        let view = self.view(&learn.data, eval.split)?;
        if view.is_empty() {
            return Err(failed(format!("{} holds no image of that split", learn.data_name)));
        }
        let logits = learn::infer(&net, &view).map_err(failed)?;
        finite(&logits)?;
        let metrics = metrics(&logits, &view.labels, learn.net.classes(), eval.temperature);
        let seconds = started.elapsed().as_secs_f64();
        self.commit(lock, &step.inputs, &[], Outcome::Metrics { metrics, seconds })?;
        Ok(Made::Here(seconds))
    }
}

/// Weights that training made are finite, imported ones may be anything.
pub(super) fn finite(logits: &[f32]) -> Result<(), Failure> {
    match logits.iter().all(|logit| logit.is_finite()) {
        true => Ok(()),
        false => Err(failed("the network's outputs are no finite numbers: its weights are bad")),
    }
}
