//! What oversees a training: it hears of epochs, asks for checkpoints, and says when to stop.

use super::{Checkpoint, Collapse, Sign};
use crate::history::EpochRecord;

/// Tells a training whether to go on; asked before each step.
pub trait Stop {
    /// True once the training should give up.
    fn stopped(&self) -> bool;
}

/// What a training does before its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The step.
    GoOn,
    /// Hands a checkpoint over, then the step.
    Keep,
    /// Hands a checkpoint over and gives up.
    Stop,
}

/// A finished epoch.
pub struct Progress<'a> {
    /// What it gave.
    pub record: &'a EpochRecord,
    /// Training samples a second, evaluation left out.
    pub samples_per_second: f64,
    /// What is wrong with the training, where something is and it continues all the same.
    pub sign: Option<Sign>,
    /// That with its causes; it takes time.
    pub explain: &'a dyn Fn(Sign) -> Collapse,
    /// Copies the training's state to the host.
    pub checkpoint: &'a dyn Fn() -> Checkpoint,
    /// The epoch after which it was seen to learn nothing any more, if there was one.
    pub collapsed: &'a dyn Fn() -> Option<usize>,
}

/// Oversees a training.
pub trait Watch {
    /// Asked before each step: in `epoch`, counted from 1, `samples` of `of` have been learned from.
    fn order(&mut self, epoch: usize, samples: usize, of: usize) -> Order;
    /// Called after an order to keep or to stop; `checkpoint` copies the state to the host.
    fn keep(&mut self, checkpoint: &dyn Fn() -> Checkpoint);
    /// Asked before each batch of the evaluation that follows an epoch's last step: true ends it, and
    /// [`keep`](Self::keep) gets a checkpoint from before the evaluation.
    fn stopped(&mut self) -> bool;
    /// Called after each epoch.
    fn epoch(&mut self, progress: &Progress<'_>);
}

/// Hears of epochs, may stop, and keeps nothing.
pub(super) struct Unwatched<'a> {
    pub stop: &'a dyn Stop,
    pub on_epoch: &'a mut dyn FnMut(&EpochRecord, f64),
}

impl Watch for Unwatched<'_> {
    fn order(&mut self, _: usize, _: usize, _: usize) -> Order {
        if self.stop.stopped() { Order::Stop } else { Order::GoOn }
    }

    fn keep(&mut self, _: &dyn Fn() -> Checkpoint) {}

    fn stopped(&mut self) -> bool {
        self.stop.stopped()
    }

    fn epoch(&mut self, progress: &Progress<'_>) {
        (self.on_epoch)(progress.record, progress.samples_per_second);
    }
}
