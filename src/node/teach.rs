//! A teacher's logits over its training split: computed once, read by every student.
//!
//! They are an entry of their own, under a key made of the teacher's key and the data. An entry
//! never changes once it is in place, and whether a network will ever teach is not known when it
//! is trained.

use super::{
    files::{LOGITS, Part, WEIGHTS, read_logits, read_part, write_logits, write_part},
    network::trained_network,
    pace::{Clock, Pace},
    pass::PassLine,
    runner::Job,
};
use crate::{
    dataset::{Data, Split, View},
    executor::{Pass, StepError},
    key::{Key, KeyInputs},
    network::Network,
    pipeline::Teacher,
    plan::Step,
    store::{KeyLock, Outcome},
    training::{Classify, Logits, infer_from},
};
use std::time::Instant;

/// What a student learns from.
pub(super) enum TeacherSource {
    /// Each teacher's logits over the images as they are.
    Stored(Vec<Logits>),
    /// The teachers themselves: augmented images are new ones at each step, and features are not stored.
    Live(Vec<Network>),
}

impl Job<'_> {
    pub(super) fn source(
        &self,
        step: &Step,
        (taught, train): (&Teacher, (&View, &Data)),
        logits: Vec<(KeyInputs, Option<KeyLock>)>,
    ) -> Result<TeacherSource, StepError> {
        if let Some(outside) = &taught.outside {
            let each = logits.into_iter();
            let each =
                each.map(|(inputs, lock)| self.outside_logits(outside, &inputs, train, lock));
            return Ok(TeacherSource::Stored(each.collect::<Result<_, _>>()?));
        }
        let (train, teachers) = (train.0, &step.inputs.parents);
        if logits.is_empty() {
            let networks = teachers.iter().map(|teacher| self.trained(teacher));
            return Ok(TeacherSource::Live(networks.collect::<Result<_, _>>()?));
        }
        let each = logits.into_iter().zip(teachers);
        let logits = each
            .map(|((inputs, lock), teacher)| self.teacher_logits(&inputs, teacher, train, lock));
        Ok(TeacherSource::Stored(logits.collect::<Result<_, _>>()?))
    }

    /// Computed if there is a `lock`: then they were not there when the step was claimed.
    fn teacher_logits(
        &self,
        inputs: &KeyInputs,
        teacher: &Key,
        train: &View,
        lock: Option<KeyLock>,
    ) -> Result<Logits, StepError> {
        let key = inputs.key();
        if let Some(lock) = lock {
            let (net, classes) = self.trained_net(teacher)?;
            let unusable = |error| self.unusable(teacher, error);
            let (values, clock) = self.pass(&net, classes, train, &lock, unusable)?;
            let file = write_logits(&train.ids, &values, inputs.keep)?;
            let outcome = Outcome::Logits { samples: train.len(), seconds: clock.seconds() };
            self.commit(&lock, inputs, &[(LOGITS, file)], outcome)?;
            self.drop_part(&lock);
        }
        let (_, bytes) = self.read(&key, LOGITS)?;
        Ok(read_logits(&bytes)?)
    }

    /// The logits that `net` gives over the training split. The finished part lies under the key of `lock`
    /// meanwhile, and a pass resumes from there.
    pub(super) fn pass<C: Classify>(
        &self,
        net: &C,
        classes: usize,
        train: &View,
        lock: &KeyLock,
        unusable: impl FnOnce(C::Error) -> StepError,
    ) -> Result<(Vec<f32>, Clock), StepError> {
        let runner = self.runner;
        let part = self.part(lock, train, classes)?;
        let (clock, mut pace) = (Clock::from(part.seconds), Pace::new());
        // A problem with the part costs no logits: it is told once.
        let mut told = false;
        let mut last = part.values.len();
        let mut line = PassLine::new(self, Pass::TeacherLogits, train.len());
        let mut go_on = |rows: &[f32]| {
            line.at(rows.len() / classes);
            let stop = self.rest();
            let new = rows.len() > last;
            if new && (stop || pace.is_due(runner.checkpoint_every)) {
                let (started, ids) = (Instant::now(), train.ids[..rows.len() / classes].to_vec());
                let part = Part { ids, values: rows.to_vec(), seconds: clock.seconds() };
                let bytes = write_part(&part).map_err(StepError::from);
                let written =
                    bytes.and_then(|bytes| Ok(runner.store.write_checkpoint(lock, &bytes)?));
                pace.wrote(started);
                match written {
                    Ok(()) => last = rows.len(),
                    Err(problem) if !told => {
                        told = true;
                        let what = "the pass continues without them";
                        self.note(&format!("cannot keep its teacher's logits: {problem}; {what}"));
                    }
                    Err(_) => {}
                }
            }
            !stop
        };
        let values = infer_from(net, train, classes, part.values, &mut go_on);
        if values.is_err() && self.is_stopped() {
            let (done, of) = (last / classes, train.len());
            self.note(&format!("stopped after {done} of {of} images of its teacher's logits"));
        }
        Ok((values.map_err(unusable)?, clock))
    }

    /// A finished pass needs its part no more.
    pub(super) fn drop_part(&self, lock: &KeyLock) {
        if let Err(problem) = self.runner.store.drop_checkpoint(lock) {
            self.note(&format!("{problem}; `takd cache gc` tries again"));
        }
    }

    /// What an earlier pass has left; nothing where it left none, or something else.
    fn part(&self, lock: &KeyLock, train: &View, classes: usize) -> Result<Part, StepError> {
        let none = Part { ids: Vec::new(), values: Vec::new(), seconds: 0.0 };
        let read = |bytes: &[u8]| {
            let part = read_part(bytes).map_err(|error| error.to_string())?;
            let rows = part.ids.len().checked_mul(classes) == Some(part.values.len());
            let fits = rows && train.ids.starts_with(&part.ids);
            if fits { Ok(part) } else { Err("its rows are not those of these images".to_owned()) }
        };
        let words = ["the part of its teacher's logits", "they are computed again"];
        let Some(part) = self.left(lock, words, read)? else { return Ok(none) };
        let (from, of) = (part.ids.len() + 1, train.len());
        self.note(&format!("resuming its teacher's logits from image {from} of {of}"));
        Ok(part)
    }

    /// The trained network in an entry, on the device.
    pub(super) fn trained(&self, key: &Key) -> Result<Network, StepError> {
        self.trained_net(key).map(|(net, _)| net)
    }

    /// The trained network in an entry, and the number of its classes.
    fn trained_net(&self, key: &Key) -> Result<(Network, usize), StepError> {
        let (entry, weights) = self.read(key, WEIGHTS)?;
        let kinds = &self.runner.graph.pipeline.kinds;
        let (net, network) = trained_network(&entry, &weights, kinds, self.device)?;
        Ok((network, net.classes()))
    }

    pub(super) fn view(
        &self,
        data: &Data,
        inputs: &KeyInputs,
        split: Split,
    ) -> Result<View, StepError> {
        let device = &self.device.device;
        Ok(View::new(&*self.dataset(data, inputs)?, data, split, device)?)
    }
}
