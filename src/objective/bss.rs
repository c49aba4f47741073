//! Boundary supporting samples.

mod attack;

use super::{
    asks::{Networks, Seen},
    interface::{Batch, Distillation},
    needs::{Given, Needs},
    softened::with_labels,
};
use crate::{
    kind::{Choice, Field, Kind, Scalar},
    tap::Tapped,
};
use burn::tensor::{
    Tensor,
    activation::{log_softmax, softmax},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// CE + w·H(softmax(teacher/τ), softmax(student/τ)) + a·the same of attacked images. w falls from 4 to 1
/// over the epochs, a from 2 to 0 over three quarters of them. H is the cross entropy, without τ².
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bss {
    /// τ, the softmax temperature of both.
    pub temperature: f64,
    /// Epochs over which the weights fall: those of the training.
    pub epochs: usize,
    /// Steps of an attack at most.
    pub steps: usize,
    /// How far a step goes.
    pub alpha: f64,
    /// Images of a batch that are attacked at most.
    pub images: usize,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "bss",
    doc: "boundary supporting samples: CE + softened cross entropy, also of images that are moved to \
          the teacher's decision boundary",
    source: "Heo et al. 2019, Knowledge distillation with adversarial samples; BSS_distillation 586b141",
    fields: &[
        Field::above_0(
            "temperature",
            "a temperature above 0",
            "τ, the softmax temperature of teacher and student",
        )
        .or(Scalar::Number(3.0)),
        Field::whole(
            "epochs",
            1,
            1_000_000,
            "epochs over which the teacher's weight falls from 4 to 1; that of attacked images falls from \
             2 to 0 over three quarters of them",
        )
        .or(Scalar::Whole(80)),
        Field::whole("steps", 1, 1000, "steps of an attack at most").or(Scalar::Whole(10)),
        Field::above_0("alpha", "a length above 0", "α, how far a step of an attack goes")
            .or(Scalar::Number(0.3)),
        Field::whole("images", 1, 1 << 16, "images of a batch that are attacked at most")
            .or(Scalar::Whole(64)),
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Bss>(fields))),
};

impl From<Bss> for Choice<dyn Distillation> {
    fn from(bss: Bss) -> Self {
        KIND.with(&bss)
    }
}

impl Bss {
    /// The weights of the images and of the attacked ones in an epoch, counted from 1
    /// (`train_BSS_distillation.py`, its last lines).
    fn weights(&self, epoch: usize) -> [f64; 2] {
        let gone = epoch as f64 / self.epochs as f64;
        [3.0 * (1.0 - gone).max(0.0) + 1.0, 2.0 * (1.0 - gone * 4.0 / 3.0).max(0.0)]
    }

    /// −Σ softmax(teacher/τ)·log softmax(student/τ), averaged over the images.
    fn soft(&self, [student, teacher]: [Tensor<2>; 2]) -> Tensor<1> {
        let images = student.dims()[0] as f64;
        let p = softmax(teacher.detach() / self.temperature, 1);
        (p * log_softmax(student / self.temperature, 1)).sum() / -images
    }
}

impl Distillation for Bss {
    fn needs(&self, _: &[Tapped], _: &[Tapped]) -> Result<Needs, String> {
        Ok(Needs { asks: true, ..Needs::default() })
    }

    fn ask(&self, networks: &mut dyn Networks, seen: &Seen, given: &mut Given) {
        let [_, weight] = self.weights(seen.epoch);
        if weight == 0.0 {
            return;
        }
        let attacked = attack::attacked(self, networks, seen);
        given.asked = attacked.map(|images| networks.both(images));
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [weight, attack] = self.weights(batch.epoch);
        let soft = self.soft([batch.student.clone(), batch.teacher.clone()]) * weight;
        let soft = match batch.given.asked.clone() {
            Some(asked) => soft + self.soft(asked) * attack,
            None => soft,
        };
        with_labels(1.0, batch, soft)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }
}

#[cfg(test)]
mod tests;
