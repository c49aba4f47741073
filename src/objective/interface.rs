//! What a loss and an objective are to a training.

use super::{
    asks::{Networks, Seen},
    needs::{Given, Needs},
};
use crate::tap::Tapped;
use burn::tensor::{Int, Tensor};
use std::fmt::Debug;

/// A loss on the labels.
pub trait Supervised: Debug + Send + Sync {
    /// The mean over the batch, `[1]`, of logits `[batch, classes]` and labels `[batch]`.
    fn loss(&self, logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1>;
}

/// An objective with a frozen teacher.
pub trait Distillation: Debug + Send + Sync {
    /// The mean over the batch, `[1]`. No gradient flows into the teacher.
    fn loss(&self, batch: Batch) -> Tensor<1>;

    /// τ, the softmax temperature, where there is one: that of the entropy which is measured of the
    /// student.
    fn temperature(&self) -> Option<f64> {
        None
    }

    /// Weight of the teacher's term against that of the cross entropy, as they add up in the gradient,
    /// where that is a number that does not depend on the logits; infinite without cross entropy.
    fn teacher_weight(&self, _classes: usize) -> Option<f64> {
        None
    }

    /// Whether it learns from each of several teachers; others learn from their mean.
    fn sees_each(&self) -> bool {
        false
    }

    /// What it wants of two networks beside their logits, by their taps.
    ///
    /// # Errors
    /// Why the two cannot be compared, as a sentence.
    fn needs(&self, _student: &[Tapped], _teacher: &[Tapped]) -> Result<Needs, String> {
        Ok(Needs::default())
    }

    /// Before its loss: asks networks about further images, and puts what they say into `given`.
    fn ask(&self, _networks: &mut dyn Networks, _seen: &Seen, _given: &mut Given) {}

    /// Whether it compares the images of a batch with one another, and says nothing of a single one.
    fn compares_images(&self) -> bool {
        false
    }

    /// Whether the student learns classes in an epoch, counted from 1; in others the objective prepares
    /// it.
    fn teaches_classes(&self, _epoch: usize) -> bool {
        true
    }

    /// τ, where it is trained: what it is by now. `learned` are its parameters.
    fn learned_temperature(&self, _learned: &Given) -> Option<Tensor<1>> {
        None
    }

    /// What lets a training live whose teacher's term weighs too much.
    fn lighter(&self, _classes: usize) -> Option<String> {
        None
    }
}

/// What an objective is given of a batch.
#[derive(Clone)]
pub struct Batch {
    /// The student's logits, `[batch, classes]`.
    pub student: Tensor<2>,
    /// The teacher's, `[batch, classes]`; of several teachers their mean.
    pub teacher: Tensor<2>,
    /// Each teacher's, in the order in which they are named.
    pub teachers: Vec<Tensor<2>>,
    /// `[batch]`.
    pub labels: Tensor<1, Int>,
    /// What it wanted beside them.
    pub given: Given,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Which batch of the epoch it is, counted from 0.
    pub step: usize,
    /// The training's seed, for what an objective draws.
    pub seed: u64,
}

impl Batch {
    /// What an objective sees of it before its loss.
    pub fn seen(&self) -> Seen {
        let [student, teacher] =
            [&self.student, &self.teacher].map(|logits| logits.clone().inner());
        let labels = self.labels.clone().inner();
        Seen { student, teacher, labels, epoch: self.epoch, step: self.step, seed: self.seed }
    }
}
