//! What a training learns from in a step: its objective with all that belongs to it.

use super::{
    Asked, Ensemble, InferError, LearnError, Logits,
    features::Kept,
    learned::Learned,
    mutual::{Answer, Group, Peers},
};
use crate::{
    dataset::{self, View},
    memory::Promise,
    network::Network,
    objective::{self, Distillation, Given, Needs, Supervised},
    tap::{Tap, bytes},
    tensors::is_host,
};
use burn::tensor::{Device, Tensor};

/// What a training minimises.
#[derive(Clone, Copy)]
pub enum Objective<'a> {
    /// A loss on the labels.
    Labels(&'a dyn Supervised),
    /// Frozen teachers' logits, computed before, and the labels. For images that never change.
    Stored(&'a dyn Distillation, Ensemble<'a, Logits>),
    /// Frozen teachers, asked at each step, and the labels. For images that are augmented.
    Live(&'a dyn Distillation, Ensemble<'a, Network>),
    /// Networks that train at the same time, and the labels.
    Mutual(&'a dyn Distillation, Peers<'a>),
}

impl Objective<'_> {
    /// The network's place among those that learn together.
    pub(super) fn place(&self) -> usize {
        match self {
            Self::Mutual(_, peers) => peers.place,
            Self::Labels(_) | Self::Stored(..) | Self::Live(..) => 0,
        }
    }
}

/// The images that a training learns from.
#[derive(Clone, Copy)]
pub(super) struct Images<'a> {
    pub view: &'a View,
    /// Whether they are augmented: new ones in each epoch.
    pub change: bool,
    pub classes: usize,
}

/// An objective, its parameters, and what it keeps of its teachers.
pub(super) struct Lesson<'a> {
    objective: Objective<'a>,
    seed: u64,
    needs: Needs,
    taps: [Vec<Tap>; 2],
    pub learned: Learned,
    /// The networks that learn beside it.
    pub group: Group,
    /// Of each teacher that is not asked: a row of logits for each image of the view.
    stored: Vec<Tensor<2>>,
    /// Of each teacher that is, what it says of images that do not change; none where it is asked anew.
    kept: Vec<Kept>,
}

/// Which step it is.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// Counted from 1.
    pub epoch: usize,
    /// Counted from 0 in the epoch.
    pub step: usize,
}

/// What a step has given.
pub(super) struct Made {
    /// The student's logits, without gradient.
    pub logits: Tensor<2>,
    /// `[1]`.
    pub loss: Tensor<1>,
    /// The logits of teachers that were asked just now.
    pub asked: Vec<Tensor<2>>,
    /// What those that learn beside it gave.
    pub peers: Vec<Answer>,
}

impl<'a> Lesson<'a> {
    /// Ready for the first step of `net`; `go_on` is asked while a teacher's features are made.
    pub fn new(
        objective: Objective<'a>,
        images: Images<'_>,
        seed: u64,
        net: &Network,
        device: &Device,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, LearnError> {
        let needs = match objective {
            // Those that learn together compare logits alone.
            Objective::Labels(_) | Objective::Mutual(..) => Ok(Needs::default()),
            Objective::Stored(objective, _) => objective.needs(net.taps(), &[]),
            Objective::Live(objective, teachers) => {
                let teacher = teachers.each.first().map_or(&[][..], Network::taps);
                objective.needs(net.taps(), teacher)
            }
        };
        let needs = needs.map_err(LearnError::Objective)?;
        let mut kept = Vec::new();
        let wanted = needs.teachers();
        let bytes = bytes(images.view.len(), images.classes, &wanted);
        if let Objective::Live(_, teachers) = objective
            && !wanted.is_empty()
            && !images.change
            // A GPU makes them again before they are sent to it.
            && is_host(device)
            && let promises = teachers.each.iter().map(|_| Promise::of(bytes))
            && let Some(promises) = promises.collect::<Option<Vec<_>>>()
        {
            for (teacher, promise) in teachers.each.iter().zip(promises) {
                let made = Kept::new(promise, teacher, images.view, &wanted, go_on);
                kept.push(made.map_err(|error| match error {
                    InferError::Stopped => LearnError::Stopped,
                    InferError::Data(error) => error.into(),
                    InferError::NotFinite { .. } => LearnError::Teacher { epoch: 1, step: 1 },
                })?);
            }
        }
        let stored = match objective {
            Objective::Stored(_, teachers) => {
                let rows = |logits: &Logits| logits.rows(&images.view.ids, device);
                teachers.each.iter().map(rows).collect()
            }
            _ => Vec::new(),
        };
        let learned = Learned::init(&needs, seed, device);
        let (taps, group) = (needs.taps(), Group::default());
        Ok(Self { objective, seed, needs, taps, learned, group, stored, kept })
    }

    /// The loss of `net` on a batch.
    pub fn step(&mut self, net: &mut Network, batch: dataset::Batch, moment: Moment) -> Made {
        let dataset::Batch { images, labels, at } = batch;
        let [ours, theirs] = &self.taps;
        let (student, features) = net.train_with(images.clone().autodiff(), ours);
        let logits = student.clone().inner();
        let labels = labels.autodiff();
        let ours: Vec<_> = ours.iter().copied().zip(features).collect();
        let tracked = |(tap, feature): (Tap, Tensor<4>)| (tap, feature.autodiff());
        let (objective, mean, each, features) = match self.objective {
            Objective::Labels(loss) => {
                let (asked, peers) = (Vec::new(), Vec::new());
                return Made { logits, loss: loss.loss(student, labels), asked, peers };
            }
            Objective::Mutual(objective, _) => {
                let teacher = student.clone().detach();
                let Moment { epoch, step, .. } = moment;
                let (teachers, given, seed) = (Vec::new(), Given::default(), self.seed);
                let batch = objective::Batch {
                    student,
                    teacher,
                    teachers,
                    labels,
                    given,
                    epoch,
                    step,
                    seed,
                };
                let (loss, peers) = self.group.step(objective, &images, &batch);
                return Made { logits, loss, asked: Vec::new(), peers };
            }
            Objective::Stored(objective, teachers) => {
                let each = self.stored.iter().map(|rows| rows.clone().select(0, at.clone()));
                let each: Vec<_> = each.map(Tensor::autodiff).collect();
                (objective, teachers.mean(&each), each, Vec::new())
            }
            Objective::Live(objective, teachers) => {
                let answers = teachers.each.iter().enumerate().map(|(index, teacher)| {
                    if let Some(kept) = self.kept.get(index) {
                        return kept.batch(&at);
                    }
                    let (logits, features) = teacher.infer_with(images.clone(), theirs);
                    (logits, theirs.iter().copied().zip(features).collect())
                });
                let answers: Vec<(Tensor<2>, Vec<_>)> = answers.collect();
                let each: Vec<_> =
                    answers.iter().map(|(logits, _)| logits.clone().autodiff()).collect();
                let features = answers.into_iter().next().map(|(_, features)| features);
                let features = features.unwrap_or_default().into_iter().map(tracked).collect();
                (objective, teachers.mean(&each), each, features)
            }
        };
        let asked = match self.objective {
            Objective::Live(..) if self.kept.is_empty() => each.clone(),
            _ => Vec::new(),
        };
        let mut batch = objective::Batch {
            student,
            teacher: mean,
            teachers: each,
            labels,
            given: self.needs.give(&[ours, features], &self.learned.tensors()),
            epoch: moment.epoch,
            step: moment.step,
            seed: self.seed,
        };
        if let (true, Objective::Live(_, teachers)) = (self.needs.asks(), self.objective) {
            let seen = batch.seen();
            let mut asked = Asked { images, student: net, teacher: &teachers.each[0] };
            objective.ask(&mut asked, &seen, &mut batch.given);
        }
        let loss = objective.loss(batch);
        Made { logits, loss, asked, peers: Vec::new() }
    }

    /// τ on the device, `[1]`, where the objective trains it.
    pub fn temperature(&self) -> Option<Tensor<1>> {
        let objective = self.taught()?;
        let given = self.needs.give_learned(&self.learned.tensors());
        objective.learned_temperature(&given).map(Tensor::inner)
    }

    /// Whether the student learns classes in an epoch, counted from 1.
    pub fn teaches_classes(&self, epoch: usize) -> bool {
        self.taught().is_none_or(|objective| objective.teaches_classes(epoch))
    }

    fn taught(&self) -> Option<&'a dyn Distillation> {
        match self.objective {
            Objective::Labels(_) => None,
            Objective::Stored(objective, _)
            | Objective::Live(objective, _)
            | Objective::Mutual(objective, _) => Some(objective),
        }
    }
}
