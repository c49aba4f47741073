//! An eval node.

use super::{
    failure::{data, diverged},
    int8::int8,
    outside::OutsideError,
    pass::PassLine,
    runner::Job,
};
use crate::{
    dataset::{Split, View},
    executor::{Done, Event, Pass, StepError},
    key::Key,
    metric::{Answers, Beside, metrics_beside},
    network::Network,
    onnx::{Classifier, Pixels},
    pipeline::{Eval, Learn},
    plan::Step,
    store::{Depth, KeyLock, Lookup, Outcome},
    training::{Classify, InferError, infer_from},
};
use std::{collections::BTreeMap, time::Instant};

impl Job<'_> {
    pub(super) fn measure(
        &self,
        eval: &Eval,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Done, StepError> {
        let started = Instant::now();
        let learn = self.runner.graph.pipeline.learn(eval.of);
        let net = self.trained(&step.inputs.parents[0])?;
        let view = self.view(&learn.data, &step.inputs, eval.split)?;
        if view.is_empty() {
            return Err(data(format!("{} holds no image of that split", learn.data_name)));
        }
        let classes = learn.net.classes();
        let logits = |net: &Network, key: &Key| {
            self.watched(net, &view, classes).map_err(|error| self.unusable(key, error))
        };
        let mut parents = step.inputs.parents.iter().skip(1);
        let mut other = |asked: Option<usize>| match asked.and_then(|_| parents.next()) {
            None => Ok(None),
            Some(key) => logits(&self.trained(key)?, key).map(Some),
        };
        let own = logits(&net, &step.inputs.parents[0])?;
        // In the order of `Eval::parents`.
        let (teacher, scratch) = (other(eval.teacher)?, other(eval.against)?);
        let int8 = match eval.int8 {
            true => Some(self.in_8_bits(&net, learn, step, &view)?),
            false => None,
        };
        let beside = Beside {
            teacher: teacher.as_deref(),
            softness: eval.softness,
            scratch: scratch.as_deref(),
            int8: int8.as_deref(),
        };
        let metrics = metrics_beside(&own, &beside, &view.labels, classes, eval.temperature);
        if let Some((name, value)) = metrics.not_finite() {
            return Err(diverged(format!(
                "`{name}` of {} images is {value}: the temperature {:?} is too small for logits of \
                 this size; raise it",
                metrics.samples, eval.temperature
            )));
        }
        let measured = Event::Measured { step: self.step, accuracy: metrics.top1() };
        self.runner.observer.event(&measured);
        let seconds = started.elapsed().as_secs_f64();
        let answers = serde_json::to_vec(&Answers::of(&own, &view.labels, classes));
        let answers = [(Answers::FILE, answers.expect("counts and finite sums are always JSON"))];
        self.commit(lock, &step.inputs, &answers, Outcome::Metrics { metrics, seconds })?;
        Ok(Done::Here(seconds))
    }
}

impl Job<'_> {
    /// Logits over `view` of a network in 8 bits.
    fn in_8_bits(
        &self,
        net: &Network,
        learn: &Learn,
        step: &Step,
        view: &View,
    ) -> Result<Vec<f32>, StepError> {
        let train = self.view(&learn.data, &step.inputs, Split::Train)?;
        let graph = int8(net, &learn.net, &Pixels::Normalised, &BTreeMap::new(), &train);
        let classifier = Classifier::of_graph(&graph.map_err(data)?).map_err(data)?;
        self.watched(&classifier, view, learn.net.classes()).map_err(|error| match error {
            OutsideError::Infer(error) => self.unusable(&step.inputs.parents[0], error),
            OutsideError::Onnx(error) => data(error),
        })
    }

    /// Logits of all of a view, told as they come.
    fn watched<C: Classify>(
        &self,
        net: &C,
        view: &View,
        classes: usize,
    ) -> Result<Vec<f32>, C::Error> {
        let mut line = PassLine::new(self, Pass::Measurement, view.len());
        let mut go_on = |rows: &[f32]| {
            line.at(rows.len() / classes);
            !self.rest()
        };
        infer_from(net, view, classes, Vec::new(), &mut go_on)
    }

    /// Why the network in the entry `key` gave no logits, as the failure of whoever needs them.
    pub(super) fn unusable(&self, key: &Key, error: InferError) -> StepError {
        match error {
            InferError::Stopped => StepError::interrupted(),
            InferError::Data(error) => error.into(),
            InferError::NotFinite { .. } => {
                let name = match self.runner.store.find(key, Depth::Manifest) {
                    Ok(Lookup::Whole(entry)) => format!("`{}`", entry.manifest.provenance.node),
                    _ => format!("the network in the entry {}", key.short()),
                };
                diverged(format!(
                    "{name} gives {error}: its weights are finite, but too large, or a running \
                     variance is negative; train it with a lower learning rate, or check the file that \
                     it was imported from"
                ))
            }
        }
    }
}
