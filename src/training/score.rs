//! What a network makes of its steps and epochs: the same for the one that a training is of and for those
//! that learn beside it.

use super::{LearnError, Within, checkpoint::Best, ledger::Score};
use crate::{
    history::EpochRecord,
    network::{NamedTensor, Network},
    recipe::{Recipe, Select},
};

/// An epoch, and what its steps are made with.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub recipe: &'a Recipe,
    /// Counted from 1.
    pub epoch: usize,
    pub lr: f64,
    /// Training images.
    pub samples: usize,
}

impl Within {
    /// With a step of so many images.
    pub(super) fn after(self, images: usize, score: Score, at: At<'_>) -> Result<Self, LearnError> {
        let (At { epoch, lr, .. }, Score { loss, hits, constant }) = (at, score);
        let step = self.step + 1;
        if !loss.is_finite() {
            let last = self.last.map_or("none".to_owned(), |last| format!("{last:.4}"));
            return Err(LearnError::Diverged { loss, epoch, step, lr, last });
        }
        Ok(Self {
            step,
            loss_sum: self.loss_sum + loss * images as f64,
            last: Some(loss),
            correct: self.correct + hits,
            constant: constant.unwrap_or(self.constant),
        })
    }

    /// The mean loss over so many images.
    pub(super) fn loss(&self, samples: usize) -> f64 {
        self.loss_sum / samples as f64
    }

    /// What a whole epoch gave, with the accuracy on the evaluation images.
    pub(super) fn record(&self, at: At<'_>, accuracy: Option<f64>) -> EpochRecord {
        let At { epoch, lr, samples, .. } = at;
        let train_accuracy = Some(self.correct as f64 / samples as f64);
        let (loss, constant) = (self.loss(samples), self.constant);
        EpochRecord { epoch, lr, loss, accuracy, train_accuracy, temperature: None, constant }
    }
}

/// Keeps the weights of an epoch that is better than all before it, where one is selected.
pub(super) fn keep_best(
    best: &mut Best,
    record: &EpochRecord,
    select: Select,
    weights: &[NamedTensor],
) {
    if let (Some(now), false) = (record.accuracy, select == Select::Last)
        && best.as_ref().is_none_or(|(top, ..)| now > *top)
    {
        *best = Some((now, record.epoch, weights.to_vec()));
    }
}

/// The selected epoch and its weights; the `last` one where none is selected.
pub(super) fn selected(best: Best, last: usize, net: &Network) -> (usize, Vec<NamedTensor>) {
    best.map_or_else(|| (last, net.save()), |(_, epoch, weights)| (epoch, weights))
}
