//! A network whose weights come from a file: PyTorch's or safetensors.

use super::{
    failure::data,
    files::{WEIGHTS, write_weights},
    runner::Job,
};
use crate::{
    executor::{Done, StepError},
    network::Network,
    pipeline::{Learn, Weights},
    plan::Step,
    pytorch::{Imported, read_weights},
    store::{KeyLock, Outcome},
};
use std::{fs, time::Instant};

impl Job<'_> {
    pub(super) fn import(
        &self,
        learn: &Learn,
        weights: &Weights,
        step: &Step,
        lock: &KeyLock,
    ) -> Result<Done, StepError> {
        let started = Instant::now();
        let path = weights.path.display();
        let bytes = fs::read(&weights.path).map_err(|error| data(format!("{path}: {error}")))?;
        if blake3::hash(&bytes).to_hex().as_str() != weights.digest {
            return Err(data(format!(
                "{path} has changed since the run was planned: run again, to plan with what is there now"
            )));
        }
        // Every initial weight is replaced, or the load fails; the seed does not matter.
        let mut net = Network::init(&learn.net, 0, &self.device.device);
        let shapes = net.save().into_iter().map(|tensor| (tensor.name, tensor.shape)).collect();
        let read = read_weights(&bytes, weights.from.as_deref(), Some(&shapes));
        let Imported { tensors, converted } =
            read.map_err(|error| data(format!("{path}: {error}")))?;
        for (kind, count) in converted {
            self.note(&format!("{count} tensors of {path} are {kind}, and become 32-bit floats"));
        }
        net.load(tensors).map_err(|error| data(format!("{path}: {error}")))?;
        // It refuses what is NaN or infinite, by the tensor's name.
        let written = write_weights(&net.save());
        let written = written.map_err(|error| data(format!("{path}: {error}")))?;
        let files = [(WEIGHTS, written)];
        let (parameters, seconds) = (learn.net.parameters(), started.elapsed().as_secs_f64());
        let outcome =
            Outcome::Network { parameters, selected_epoch: None, collapsed_epoch: None, seconds };
        self.commit(lock, &step.inputs, &files, outcome)?;
        Ok(Done::Here(seconds))
    }
}
