//! The training loop.

use super::{
    Checkpoint, Collapse, InferError, LearnError, Logits, Order, Progress, Sign, State, Stop,
    Updater, Watch, Within, collapse, cross_entropy, distillation, learning_rate, restarts,
    validate::{accuracy, finite, is_finite},
    watch::Plain,
};
use crate::{
    config::{Kd, Net, OnCollapse, Recipe, Select},
    data::{Changes, View},
    history::EpochRecord,
    net::{NamedTensor, Network, Ops, Role, Visitor},
    ops,
    rng::{Purpose, Stream},
};
use burn::tensor::{Device, Int, Tensor};
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
    /// Whether a training that learns nothing any more goes on.
    pub on_collapse: OnCollapse,
}

impl Lesson<'_> {
    /// What the last epoch of `history` shows to be wrong.
    fn sign(&self, history: &[EpochRecord]) -> Option<Sign> {
        collapse::sign(history, self.recipe, self.net.classes(), self.train.len())
    }

    /// The same with its causes. It looks through all of a teacher's logits: for what is told.
    fn explain(&self, sign: Sign, last: &EpochRecord) -> Collapse {
        let (kd, spread) = match self.objective {
            Objective::CrossEntropy => (None, None),
            Objective::Kd(kd, logits) => (Some(kd), Some(logits.spread())),
            Objective::KdLive(kd, _) => (Some(kd), None),
        };
        let causes = collapse::causes(self.recipe, last.lr, kd, self.net, spread);
        let (epoch, loss, accuracy) = (last.epoch, last.loss, last.train_accuracy);
        Collapse { epoch, sign, loss, accuracy, causes }
    }
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
    /// The epoch after which it was seen to learn nothing any more, counted from 1.
    pub collapsed: Option<usize>,
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
    resume(lesson, device, None, &mut Plain { stop, on_epoch })
}

/// Accuracy, number and weights of the best epoch so far.
type Best = Option<(f64, usize, Vec<NamedTensor>)>;

/// Trains a network from fresh weights, or on from a checkpoint of the same lesson, to the same
/// bits.
///
/// # Errors
/// [`LearnError`] if a loss, a weight, the optimizer's state or a logit on the evaluation set is NaN or
/// infinite, `watch` says stop, the teacher's logits lack a sample, or the checkpoint is another
/// network's.
pub fn resume(
    lesson: &Lesson<'_>,
    device: &Device,
    from: Option<Checkpoint>,
    watch: &mut dyn Watch,
) -> Result<Trained, LearnError> {
    if let Objective::Kd(_, logits) = lesson.objective {
        logits.cover(&lesson.train.ids)?;
    }
    let rule = lesson.recipe.optimizer;
    let mut net =
        Network::init_with(lesson.net, lesson.seed, lesson.recipe.batchnorm_weight, device)
            .with_ops(lesson.ops);
    let mut updater = Updater::new(rule);
    let mut history = Vec::new();
    let mut best: Best = None;
    let mut within = None;
    if let Some(from) = from {
        from.check()?;
        let Checkpoint { weights, optimizer, best: best_weights, state } = from;
        net.load(weights)?;
        updater = Updater::load(rule, state.steps, &optimizer, device);
        best = state.best.map(|(accuracy, epoch)| (accuracy, epoch, best_weights));
        (history, within) = (state.history, state.within);
    }
    net.visit(&mut Track);
    for epoch in history.len() + 1..=lesson.recipe.epochs {
        let lr = learning_rate(lesson.recipe, epoch - 1);
        let started = Instant::now();
        let last = history.last().map(|record: &EpochRecord| record.loss);
        let from = within.take().unwrap_or(Within { last, ..Within::default() });
        // A checkpoint from later in the epoch holds what the new optimizer has gathered.
        if from.step == 0 && restarts(lesson.recipe, epoch - 1) {
            updater = Updater::new(rule);
        }
        let mut pause = |net: &Network, updater: &Updater, within: Within| {
            let (size, of) = (lesson.recipe.batch_size, lesson.train.len());
            let order = watch.order(epoch, within.step.saturating_mul(size).min(of), of);
            if order != Order::GoOn {
                watch.keep(&|| checkpoint(net, updater, &best, &history, Some(within)));
            }
            if order == Order::Stop { Err(LearnError::Stopped) } else { Ok(()) }
        };
        let whole = run_epoch(lesson, &mut net, &mut updater, epoch, lr, from, &mut pause)?;
        let loss = whole.loss_sum / lesson.train.len() as f64;
        let done = from.step.saturating_mul(lesson.recipe.batch_size);
        let samples = lesson.train.len().saturating_sub(done);
        let samples_per_second = samples as f64 / started.elapsed().as_secs_f64();
        let weights = finite(&net, &updater, epoch, lr, loss)?;
        let judged = lesson
            .judge
            .map(|view| accuracy(&net, view, lesson.net.classes(), &mut |_| !watch.stopped()));
        let accuracy = match judged.transpose() {
            Ok(accuracy) => accuracy,
            Err(InferError::Stopped) => {
                // The epoch's steps are made: only the evaluation is done again.
                watch.keep(&|| checkpoint(&net, &updater, &best, &history, Some(whole)));
                return Err(LearnError::Stopped);
            }
            Err(InferError::Data(error)) => return Err(error.into()),
            Err(InferError::NotFinite { wrong, of }) => {
                return Err(LearnError::Evaluation { epoch, lr, wrong, of, last: loss });
            }
        };
        let correct = whole.correct as f64 / lesson.train.len() as f64;
        let (train_accuracy, constant) = (Some(correct), whole.constant);
        let record = EpochRecord { epoch, lr, loss, accuracy, train_accuracy, constant };
        if let (Some(now), false) = (accuracy, lesson.recipe.select == Select::Last)
            && best.as_ref().is_none_or(|(top, ..)| now > *top)
        {
            best = Some((now, epoch, weights));
        }
        history.push(record);
        let (sign, explain) = (lesson.sign(&history), |sign| lesson.explain(sign, &record));
        if let (Some(sign), OnCollapse::Stop) =
            (sign.filter(|sign| sign.is_sure()), lesson.on_collapse)
        {
            return Err(LearnError::Collapsed(explain(sign)));
        }
        let checkpoint = || checkpoint(&net, &updater, &best, &history, None);
        let (record, explain, checkpoint) = (&record, &explain, &checkpoint);
        watch.epoch(&Progress { record, samples_per_second, sign, explain, checkpoint });
    }
    let (selected, weights) = match best {
        Some((_, epoch, weights)) => (epoch, weights),
        None => (lesson.recipe.epochs, net.save()),
    };
    let sure = |epochs: &usize| lesson.sign(&history[..*epochs]).is_some_and(Sign::is_sure);
    let collapsed = (1..=history.len()).find(sure);
    Ok(Trained { weights, history, selected, collapsed })
}

fn checkpoint(
    net: &Network,
    updater: &Updater,
    best: &Best,
    history: &[EpochRecord],
    within: Option<Within>,
) -> Checkpoint {
    let (steps, optimizer) = updater.save();
    let scored = best.as_ref().map(|(accuracy, epoch, _)| (*accuracy, *epoch));
    let best = best.as_ref().map(|(.., weights)| weights.clone()).unwrap_or_default();
    let state = State { steps, best: scored, seconds: 0.0, history: history.to_vec(), within };
    Checkpoint { weights: net.save(), optimizer, best, state }
}

/// One pass over the training samples, or what is left of one; where it ends. `pause` is called before
/// each step.
fn run_epoch(
    lesson: &Lesson<'_>,
    net: &mut Network,
    updater: &mut Updater,
    epoch: usize,
    lr: f64,
    mut within: Within,
    pause: &mut dyn FnMut(&Network, &Updater, Within) -> Result<(), LearnError>,
) -> Result<Within, LearnError> {
    let view = lesson.train;
    let mut places: Vec<u32> = (0..view.len() as u32).collect();
    Stream::new(lesson.seed, Purpose::Shuffle, epoch as u64 - 1, 0).shuffle(&mut places);
    let (augment, size) = (&*lesson.recipe.augment, lesson.recipe.batch_size);
    let changes = Changes { augment, seed: lesson.seed, epoch: epoch as u64 - 1 };
    let compared = collapse::compared(places.len(), size);
    let left = &places[within.step.saturating_mul(size).min(places.len())..];
    let batches = view.batches(left, size, Some(changes).filter(|_| !augment.is_empty()))?;
    for (step, (places, batch)) in (within.step..).zip(left.chunks(size).zip(batches)) {
        pause(net, updater, within)?;
        let batch = batch?;
        let device = batch.images.device();
        let logits = net.train(batch.images.clone().autodiff());
        let frozen = logits.clone().inner();
        let hits = hits(frozen.clone(), batch.labels.clone());
        let mut taught = None;
        let loss = match lesson.objective {
            Objective::CrossEntropy => cross_entropy(logits, batch.labels.autodiff()),
            Objective::Kd(kd, teacher) => {
                let ids = places.iter().map(|&place| view.ids[place as usize]);
                let teacher = teacher.batch(ids, &device).autodiff();
                distillation(logits, teacher, batch.labels.autodiff(), kd)
            }
            Objective::KdLive(kd, teacher) => {
                let teacher = teacher.infer(batch.images).autodiff();
                taught = Some(teacher.clone());
                distillation(logits, teacher, batch.labels.autodiff(), kd)
            }
        };
        // One wait for the device, not two.
        let told = Tensor::cat(vec![loss.clone().inner(), hits], 0).into_data();
        let told = told.try_into_vec_as::<f32>().expect("both have f32 elements");
        let value = f64::from(told[0]);
        if !value.is_finite() {
            if taught.is_some_and(|logits| !is_finite(logits)) {
                return Err(LearnError::Teacher { epoch, step: step + 1 });
            }
            let last = within.last.map_or("none".to_owned(), |last| format!("{last:.4}"));
            return Err(LearnError::Diverged { loss: value, epoch, step: step + 1, lr, last });
        }
        let loss_sum = within.loss_sum + value * places.len() as f64;
        let correct = within.correct + told[1] as usize;
        let constant =
            if step == compared { collapse::is_constant(frozen) } else { within.constant };
        within = Within { step: step + 1, loss_sum, last: Some(value), correct, constant };
        updater.step(net, loss.backward(), lr);
        ops::settle();
    }
    Ok(within)
}

/// How many of the images have their largest logit at their label, as `[1]`.
fn hits(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    logits.argmax(1).flatten::<1>(0, 1).equal(labels).int().sum().float()
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

#[cfg(test)]
mod tests;
