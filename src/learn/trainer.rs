//! The training loop.

use super::{
    Checkpoint, Logits, LogitsError, State, Updater, cross_entropy, distillation, infer,
    learning_rate,
};
use crate::{
    config::{Kd, Net, Recipe, Select},
    data::{Changes, DataError, View},
    history::EpochRecord,
    metrics::metrics,
    net::{LoadError, NamedTensor, Network, Ops, Role, Visitor},
    rng::{Purpose, Stream},
};
use burn::tensor::{Device, Tensor};
use std::time::Instant;

/// What a training is made of.
pub struct Lesson<'a> {
    /// The network to train.
    pub net: &'a Net,
    /// How.
    pub recipe: &'a Recipe,
    /// What is minimised.
    pub objective: Objective<'a>,
    /// Seed of weights and order.
    pub seed: u64,
    /// What computes it.
    pub ops: Ops,
    /// Images to learn from; at least one.
    pub train: &'a View,
    /// Images whose accuracy is recorded each epoch and may select one; possibly none.
    pub judge: Option<&'a View>,
}

/// What a training minimises.
#[derive(Clone, Copy)]
pub enum Objective<'a> {
    /// Cross entropy with the labels.
    CrossEntropy,
    /// A frozen teacher's logits, computed before, and the labels. For images that never change.
    Kd(Kd, &'a Logits),
    /// A frozen teacher, asked at each step, and the labels. For images that are augmented.
    KdLive(Kd, &'a Network),
}

/// A finished training.
pub struct Trained {
    /// The selected epoch's weights and running statistics.
    pub weights: Vec<NamedTensor>,
    /// Every epoch.
    pub history: Vec<EpochRecord>,
    /// The epoch that `weights` come from, counted from 1.
    pub selected: usize,
}

/// Tells a training whether to go on, asked before each step; and hears how far it is.
pub trait Stop {
    /// True once the training should give up.
    fn stopped(&self) -> bool;

    /// Told after each step: in `epoch`, counted from 1, `samples` of `of` have been learned from.
    fn stepped(&self, _epoch: usize, _samples: usize, _of: usize) {}
}

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
        /// The loss of the step before, or "none".
        last: String,
    },
    /// [`Stop`] said so.
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

/// A finished epoch.
pub struct Progress<'a> {
    /// What it gave.
    pub record: &'a EpochRecord,
    /// Training samples a second, evaluation left out.
    pub samples_per_second: f64,
    /// Copies the training's state to the host.
    pub checkpoint: &'a dyn Fn() -> Checkpoint,
}

/// Trains a network from fresh weights; `on_epoch` hears of every finished epoch, and how many
/// training samples a second it took.
///
/// # Errors
/// As [`resume`].
pub fn train(
    lesson: &Lesson<'_>,
    device: &Device,
    stop: &dyn Stop,
    on_epoch: &mut dyn FnMut(&EpochRecord, f64),
) -> Result<Trained, LearnError> {
    let mut tell = |progress: &Progress<'_>| on_epoch(progress.record, progress.samples_per_second);
    resume(lesson, device, stop, None, &mut tell)
}

/// Trains a network from fresh weights, or on from a checkpoint of the same lesson, to the same
/// bits.
///
/// # Errors
/// [`LearnError`] if the loss diverges, `stop` says so, the teacher's logits lack a sample, or the
/// checkpoint is another network's.
pub fn resume(
    lesson: &Lesson<'_>,
    device: &Device,
    stop: &dyn Stop,
    from: Option<Checkpoint>,
    on_epoch: &mut dyn FnMut(&Progress<'_>),
) -> Result<Trained, LearnError> {
    if let Objective::Kd(_, logits) = lesson.objective {
        logits.cover(&lesson.train.ids)?;
    }
    let rule = lesson.recipe.optimizer;
    let mut net = Network::init(lesson.net, lesson.seed, device).with_ops(lesson.ops);
    let mut updater = Updater::new(rule);
    let mut history = Vec::with_capacity(lesson.recipe.epochs);
    let mut best: Option<(f64, usize, Vec<NamedTensor>)> = None;
    if let Some(Checkpoint { weights, optimizer, best: best_weights, state }) = from {
        net.load(weights)?;
        updater = Updater::load(rule, state.steps, &optimizer, device);
        best = state.best.map(|(accuracy, epoch)| (accuracy, epoch, best_weights));
        history = state.history;
    }
    net.visit(&mut Track);
    for epoch in history.len() + 1..=lesson.recipe.epochs {
        let lr = learning_rate(lesson.recipe, epoch - 1);
        let started = Instant::now();
        let loss = run_epoch(lesson, &mut net, &mut updater, epoch, lr, stop)?;
        let samples_per_second = lesson.train.len() as f64 / started.elapsed().as_secs_f64();
        let accuracy = lesson.judge.map(|view| accuracy(&net, view, lesson.net.classes()));
        let accuracy = accuracy.transpose()?;
        if let (Some(now), false) = (accuracy, lesson.recipe.select == Select::Last)
            && best.as_ref().is_none_or(|(top, ..)| now > *top)
        {
            best = Some((now, epoch, net.save()));
        }
        history.push(EpochRecord { epoch, lr, loss, accuracy });
        let checkpoint = || {
            let (steps, optimizer) = updater.save();
            let scored = best.as_ref().map(|(accuracy, epoch, _)| (*accuracy, *epoch));
            let best = best.as_ref().map(|(.., weights)| weights.clone()).unwrap_or_default();
            let state = State { steps, best: scored, history: history.clone() };
            Checkpoint { weights: net.save(), optimizer, best, state }
        };
        let record = &history[history.len() - 1];
        on_epoch(&Progress { record, samples_per_second, checkpoint: &checkpoint });
    }
    let (selected, weights) = match best {
        Some((_, epoch, weights)) => (epoch, weights),
        None => (lesson.recipe.epochs, net.save()),
    };
    Ok(Trained { weights, history, selected })
}

/// One pass over the training samples; the mean loss.
fn run_epoch(
    lesson: &Lesson<'_>,
    net: &mut Network,
    updater: &mut Updater,
    epoch: usize,
    lr: f64,
    stop: &dyn Stop,
) -> Result<f64, LearnError> {
    let view = lesson.train;
    let mut places: Vec<u32> = (0..view.len() as u32).collect();
    Stream::new(lesson.seed, Purpose::Shuffle, epoch as u64 - 1, 0).shuffle(&mut places);
    let (mut sum, mut last) = (0.0, None);
    let (augment, size) = (&*lesson.recipe.augment, lesson.recipe.batch_size);
    let changes = Changes { augment, seed: lesson.seed, epoch: epoch as u64 - 1 };
    let batches = view.batches(&places, size, Some(changes).filter(|_| !augment.is_empty()))?;
    for (step, (places, batch)) in places.chunks(size).zip(batches).enumerate() {
        if stop.stopped() {
            return Err(LearnError::Stopped);
        }
        let batch = batch?;
        let device = batch.images.device();
        let logits = net.train(batch.images.clone().autodiff());
        let loss = match lesson.objective {
            Objective::CrossEntropy => cross_entropy(logits, batch.labels.autodiff()),
            Objective::Kd(kd, teacher) => {
                let ids = places.iter().map(|&place| view.ids[place as usize]);
                let teacher = teacher.batch(ids, &device).autodiff();
                distillation(logits, teacher, batch.labels.autodiff(), kd)
            }
            Objective::KdLive(kd, teacher) => {
                let teacher = teacher.infer(batch.images).autodiff();
                distillation(logits, teacher, batch.labels.autodiff(), kd)
            }
        };
        let value = f64::from(loss.clone().into_scalar::<f32>());
        if !value.is_finite() {
            let last = last.map_or("none".to_owned(), |last: f64| format!("{last:.4}"));
            return Err(LearnError::Diverged { loss: value, epoch, step: step + 1, lr, last });
        }
        (sum, last) = (sum + value * places.len() as f64, Some(value));
        updater.step(net, loss.backward(), lr);
        let done = step * lesson.recipe.batch_size + places.len();
        stop.stepped(epoch, done, view.len());
    }
    Ok(sum / view.len() as f64)
}

fn accuracy(net: &Network, view: &View, classes: usize) -> Result<f64, DataError> {
    let mut frozen = net.clone();
    frozen.visit(&mut Untrack);
    Ok(metrics(&infer(&frozen, view)?, &view.labels, classes, 1.0).top1)
}

/// Starts recording gradients of a network's parameters.
struct Track;

impl Visitor for Track {
    fn visit<const D: usize>(&mut self, _: &str, role: Role, tensor: &mut Tensor<D>) {
        if role == Role::Parameter {
            *tensor = tensor.clone().autodiff().require_grad();
        }
    }
}

/// Takes a network's parameters out of autodiff: evaluation records nothing.
struct Untrack;

impl Visitor for Untrack {
    fn visit<const D: usize>(&mut self, _: &str, _: Role, tensor: &mut Tensor<D>) {
        *tensor = tensor.clone().inner();
    }
}
