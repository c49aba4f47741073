//! Why a training gives no network.

use super::{Collapse, LogitsError};
use crate::{dataset::DataError, network::LoadError};

/// Why a training gave no network.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The loss left the numbers.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}, at learning rate {lr:?} (last finite \
         loss: {last}); lower the learning rate"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1 within the epoch.
        step: usize,
        /// Learning rate of the step.
        lr: f64,
        /// The loss of the step before, or the mean of the epoch before; "none" at the very start.
        last: String,
    },
    /// A live teacher's logits are NaN or infinite; a student could not learn from them.
    #[error(
        "the teacher gives NaN or infinite logits in epoch {epoch}, step {step}: train it again with a \
         lower learning rate, or check the file that it was imported from"
    )]
    Teacher {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1 within the epoch.
        step: usize,
    },
    /// The network's logits on its evaluation set after an epoch are NaN or infinite.
    #[error(
        "after epoch {epoch}, at learning rate {lr:?}, the network gives NaN or infinite logits for \
         {wrong} of the first {of} images of its evaluation set (last finite loss: {last}); lower \
         the learning rate"
    )]
    Evaluation {
        /// Counted from 1.
        epoch: usize,
        /// Learning rate of the epoch.
        lr: f64,
        /// Images with such a logit.
        wrong: usize,
        /// Images up to the first batch that had some.
        of: usize,
        /// The epoch's mean loss.
        last: f64,
    },
    /// The last steps of an epoch, whose losses were finite, left the numbers.
    #[error(
        "after epoch {epoch}, at learning rate {lr:?}, `{name}` is not finite (last finite loss: \
         {last}); lower the learning rate"
    )]
    Overflown {
        /// The parameter or statistic, or the optimizer's state for it: `optimizer:NAME/0`.
        name: String,
        /// Counted from 1.
        epoch: usize,
        /// Learning rate of the epoch.
        lr: f64,
        /// The epoch's mean loss.
        last: f64,
    },
    /// The objective cannot compare these two networks.
    #[error("{0}")]
    Objective(String),
    /// It learns nothing any more.
    #[error("{0}. `on_collapse = \"warn\"` trains on all the same")]
    Collapsed(Collapse),
    /// One of the networks that learn from one another.
    #[error("of the networks that learn together, number {place}: {error}")]
    Peer {
        /// Its place, counted from 1.
        place: usize,
        /// What is wrong with it.
        error: Box<LearnError>,
    },
    /// Whoever watches it said so.
    #[error("stopped")]
    Stopped,
    /// The teacher's logits do not fit the training samples.
    #[error(transparent)]
    Logits(#[from] LogitsError),
    /// An image that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A checkpoint of another network.
    #[error("the checkpoint is not of this training: {0}")]
    Checkpoint(#[from] LoadError),
}
