//! The training loop.

use super::{
    Checkpoint, Collapse, InferError, LearnError, Logits, OptimizerState, Order, Progress, Sign,
    Stop, Trained, Watch, Within,
    checkpoint::Best,
    collapse,
    ledger::{Given, Heard, Ledger},
    lesson::{Images, Lesson, Made, Moment, Objective},
    mutual::{self, Answer, Group},
    score::{At, keep_best, selected},
    snapshot::{Moving, Snapshot},
    validate::accuracy,
    watch::Unwatched,
};
use crate::{
    architecture::Architecture,
    dataset::{Changes, View},
    history::EpochRecord,
    kernels,
    network::{Kernels, Network},
    recipe::{OnCollapse, Recipe},
    rng::{Purpose, Stream},
};
use burn::tensor::Device;
use std::time::Instant;

/// What a training is made of.
pub struct Training<'a> {
    /// The network to train.
    pub net: &'a Architecture,
    /// How.
    pub recipe: &'a Recipe,
    /// What is minimised.
    pub objective: Objective<'a>,
    /// Seed of weights and order.
    pub seed: u64,
    /// What computes it.
    pub kernels: Kernels,
    /// Images to learn from; at least one.
    pub train: &'a View,
    /// Images whose accuracy is recorded each epoch and may select one; possibly none.
    pub evaluation: Option<&'a View>,
    /// Ends after so many epochs, with the weights of that moment.
    pub until: Option<usize>,
    /// Whether a training that no longer learns continues.
    pub on_collapse: OnCollapse,
}

impl Training<'_> {
    /// What the last epoch of `history` shows to be wrong.
    fn sign(&self, history: &[EpochRecord]) -> Option<Sign> {
        collapse::sign(history, self.recipe, self.net.classes(), self.train.len())
    }

    fn at(&self, epoch: usize, lr: f64) -> At<'_> {
        At { recipe: self.recipe, epoch, lr, samples: self.train.len() }
    }

    /// The same with its causes. It looks through all of a teacher's logits: for what is told.
    fn explain(&self, sign: Sign, last: &EpochRecord) -> Collapse {
        let (taught, spread) = match self.objective {
            Objective::Labels(_) => (None, None),
            Objective::Stored(objective, teachers) => {
                (Some(objective), teachers.each.first().map(Logits::spread))
            }
            Objective::Live(objective, _) | Objective::Mutual(objective, _) => {
                (Some(objective), None)
            }
        };
        let causes = collapse::causes(self.recipe, last.lr, taught, self.net, spread);
        let (epoch, loss, accuracy) = (last.epoch, last.loss, last.train_accuracy);
        Collapse { epoch, sign, loss, accuracy, causes }
    }
}

/// Trains a network from fresh weights; `on_epoch` hears of every finished epoch, and how many
/// training samples a second it took.
///
/// # Errors
/// As [`resume`].
pub fn train(
    training: &Training<'_>,
    device: &Device,
    stop: &dyn Stop,
    on_epoch: &mut dyn FnMut(&EpochRecord, f64),
) -> Result<Trained, LearnError> {
    resume(training, device, None, &mut Unwatched { stop, on_epoch })
}

/// Trains a network from fresh weights, or on from a checkpoint of the same training, to the same
/// bits.
///
/// # Errors
/// [`LearnError`] if a loss, a weight, the optimizer's state or a logit on the evaluation set is NaN or
/// infinite, `watch` says stop, the teacher's logits lack a sample, or the checkpoint is another
/// network's.
pub fn resume(
    training: &Training<'_>,
    device: &Device,
    from: Option<Checkpoint>,
    watch: &mut dyn Watch,
) -> Result<Trained, LearnError> {
    if let Objective::Stored(_, teachers) = training.objective {
        for logits in teachers.each {
            logits.cover(&training.train.ids)?;
        }
    }
    let rule = &training.recipe.optimizer;
    let seed = mutual::seed(training.seed, training.objective.place());
    let mut net = Network::init_with(training.net, seed, training.recipe.batchnorm_weight, device)
        .with_kernels(training.kernels)
        .with_precision(training.recipe.precision);
    let images = Images {
        view: training.train,
        change: !training.recipe.augment.is_empty(),
        classes: training.net.classes(),
    };
    let go_on = &mut || !watch.stopped();
    let mut lesson = Lesson::new(training.objective, images, training.seed, &net, device, go_on)?;
    if let Objective::Mutual(_, peers) = training.objective {
        let (recipe, kernels) = (training.recipe, training.kernels);
        lesson.group = Group::init(peers, recipe, training.seed, kernels, device);
    }
    let mut optimizer_state = OptimizerState::new(rule.clone(), device);
    let mut history = Vec::new();
    let mut best: Best = None;
    let mut within = None;
    if let Some(from) = from {
        from.check()?;
        let Checkpoint { weights, optimizer, learned, best: best_weights, state, peers } = from;
        lesson.group.load(peers, training.recipe, device)?;
        net.load(weights)?;
        lesson.learned.load(learned)?;
        optimizer_state = OptimizerState::load(rule.clone(), state.steps, &optimizer, device);
        best = state.best.map(|(accuracy, epoch)| (accuracy, epoch, best_weights));
        (history, within) = (state.history, state.within);
    }
    net.track();
    lesson.learned.track();
    lesson.group.track();
    let mut state = State { net, lesson, optimizer_state, ledger: Ledger::new(device) };
    let epochs = training.until.unwrap_or(training.recipe.epochs);
    for epoch in history.len() + 1..=epochs {
        let lr = training.recipe.learning_rate(epoch - 1);
        let started = Instant::now();
        let last = history.last().map(|record: &EpochRecord| record.loss);
        let from = within.take().unwrap_or(Within { last, ..Within::default() });
        // A checkpoint from later in the epoch holds what the new optimizer has gathered.
        if from.step == 0 && training.recipe.schedule.restarts(epoch - 1) {
            state.optimizer_state.restart();
            state.lesson.group.restart();
        }
        if from.step == 0 {
            state.lesson.group.begin();
        }
        let at = training.at(epoch, lr);
        let mut pause = |state: &mut State<'_>, within: &mut Within, step: usize| {
            let (size, of) = (training.recipe.batch_size, training.train.len());
            let order = watch.order(epoch, step.saturating_mul(size).min(of), of);
            if order != Order::GoOn {
                let settled = state.settle(*within, at)?;
                *within = settled.within;
                watch.keep(&|| checkpoint(state, &settled, &best, &history, Some(*within)));
            }
            if order == Order::Stop { Err(LearnError::Stopped) } else { Ok(()) }
        };
        let settled = run_epoch(training, &mut state, at, from, &mut pause)?;
        let Settled { within: whole, ref snapshot, ref peers, temperature } = settled;
        let loss = whole.loss(training.train.len());
        let done = from.step.saturating_mul(training.recipe.batch_size);
        let samples = training.train.len().saturating_sub(done);
        let samples_per_second = samples as f64 / started.elapsed().as_secs_f64();
        snapshot.check(epoch, lr, loss)?;
        let State { net, lesson, .. } = &state;
        let evaluated = training.evaluation.map(|view| {
            let (classes, go_on) = (training.net.classes(), &mut |_: &[f32]| !watch.stopped());
            let own = accuracy(net, view, classes, go_on)?;
            Ok((own, lesson.group.evaluate(view, classes, go_on)?))
        });
        let (accuracy, of_peers) = match evaluated.transpose() {
            Ok(accuracies) => accuracies.unzip(),
            Err(InferError::Stopped) => {
                // The epoch's steps are made: only the evaluation is done again.
                watch.keep(&|| checkpoint(&state, &settled, &best, &history, Some(whole)));
                return Err(LearnError::Stopped);
            }
            Err(InferError::Data(error)) => return Err(error.into()),
            Err(InferError::NotFinite { wrong, of }) => {
                return Err(LearnError::Evaluation { epoch, lr, wrong, of, last: loss });
            }
        };
        let record = EpochRecord { temperature, ..whole.record(at, accuracy) };
        keep_best(&mut best, &record, training.recipe.select, &snapshot.weights);
        history.push(record);
        let sign = training.sign(&history).filter(|_| lesson.teaches_classes(epoch));
        let explain = |sign| training.explain(sign, &record);
        if let (Some(sign), OnCollapse::Stop) =
            (sign.filter(|sign| sign.is_sure()), training.on_collapse)
        {
            return Err(LearnError::Collapsed(explain(sign)));
        }
        let (classes, on_collapse) = (training.net.classes(), training.on_collapse);
        state.lesson.group.close(peers, of_peers, at, classes, on_collapse)?;
        let checkpoint = || checkpoint(&state, &settled, &best, &history, None);
        let (record, explain, checkpoint) = (&record, &explain, &checkpoint);
        let collapsed = &|| collapsed(training, &state.lesson, &history);
        let progress =
            Progress { record, samples_per_second, sign, explain, checkpoint, collapsed };
        watch.epoch(&progress);
    }
    let best = best.filter(|_| training.until.is_none());
    let (selected, weights) = selected(best, epochs, &state.net);
    let collapsed = collapsed(training, &state.lesson, &history);
    let extent = [training.net.classes(), training.train.len()];
    let peers = state.lesson.group.finish(training.recipe, extent);
    Ok(Trained { weights, history, selected, collapsed, peers })
}

/// The epoch after which a training was seen to learn nothing any more, counted from 1.
fn collapsed(
    training: &Training<'_>,
    lesson: &Lesson<'_>,
    history: &[EpochRecord],
) -> Option<usize> {
    let extent = [training.net.classes(), training.train.len()];
    let teaches = |epoch| lesson.teaches_classes(epoch);
    collapse::first(history, training.recipe, extent, teaches)
}

/// What moves in a training.
struct State<'a> {
    net: Network,
    lesson: Lesson<'a>,
    optimizer_state: OptimizerState,
    /// Steps that have not been heard of.
    ledger: Ledger,
}

/// A training after steps that all have been heard of.
struct Settled {
    within: Within,
    snapshot: Snapshot,
    /// Of the networks that learn beside it.
    peers: Vec<Snapshot>,
    /// τ, where the objective trains it.
    temperature: Option<f64>,
}

impl State<'_> {
    /// Reads what the last steps gave and what they have changed, all in one copy: `within` with them.
    fn settle(&mut self, within: Within, at: At<'_>) -> Result<Settled, LearnError> {
        let Self { net, lesson, optimizer_state, ledger } = &*self;
        let mut beside = ledger.unread();
        let unread = beside.len();
        beside.extend(lesson.temperature());
        let own = Moving { net, learned: Some(&lesson.learned), optimizer: optimizer_state };
        let all: Vec<_> = [own].into_iter().chain(lesson.group.moving()).collect();
        let (mut snapshots, values) = Snapshot::read(&all, beside);
        let snapshot = snapshots.next().expect("the first is the training's own");
        let peers = snapshots.collect();
        let (unread, temperature) = values.split_at(unread);
        let temperature = temperature.first().map(|values| values[0].into());
        let heard = self.ledger.hear(unread);
        Ok(Settled { within: self.after(within, heard, at)?, snapshot, peers, temperature })
    }

    /// Reads what the last steps gave: `within` with them.
    fn hear(&mut self, within: Within, at: At<'_>) -> Result<Within, LearnError> {
        let heard = self.ledger.read();
        self.after(within, heard, at)
    }

    /// `within` with steps that were heard of.
    fn after(
        &mut self,
        mut within: Within,
        heard: Vec<Heard>,
        at: At<'_>,
    ) -> Result<Within, LearnError> {
        for Heard { images, wild, each } in heard {
            let step = within.step + 1;
            let heard = within.after(images, each[0], at);
            within = heard.map_err(|error| match wild {
                true => LearnError::Teacher { epoch: at.epoch, step },
                false => error,
            })?;
            self.lesson.group.after(images, &each[1..], at)?;
        }
        Ok(within)
    }
}

/// The whole of it on the host.
fn checkpoint(
    of: &State<'_>,
    settled: &Settled,
    best: &Best,
    history: &[EpochRecord],
    within: Option<Within>,
) -> Checkpoint {
    let own = Checkpoint::of(settled.snapshot.clone(), best, history, within);
    Checkpoint { peers: of.lesson.group.save(&settled.peers, within.is_some()), ..own }
}

/// One pass over the training samples, or what is left of one; where it ends. `pause` is called before
/// each step, with its number.
fn run_epoch(
    training: &Training<'_>,
    state: &mut State<'_>,
    at: At<'_>,
    mut within: Within,
    pause: &mut dyn FnMut(&mut State<'_>, &mut Within, usize) -> Result<(), LearnError>,
) -> Result<Settled, LearnError> {
    let At { epoch, lr, .. } = at;
    let view = training.train;
    let mut indices: Vec<u32> = (0..view.len() as u32).collect();
    Stream::new(training.seed, Purpose::Shuffle, epoch as u64 - 1, 0).shuffle(&mut indices);
    let (augment, size) = (&*training.recipe.augment, training.recipe.batch_size);
    let changes = Changes { augment, seed: training.seed, epoch: epoch as u64 - 1 };
    let left = &indices[within.step.saturating_mul(size).min(indices.len())..];
    let batches = view.batches(left, size, Some(changes).filter(|_| !augment.is_empty()))?;
    let compared = collapse::compared(view.len(), size);
    for (step, batch) in (within.step..).zip(batches) {
        pause(state, &mut within, step)?;
        let State { net, lesson, ledger, .. } = &mut *state;
        let batch = batch?;
        let labels = batch.labels.clone();
        let Made { logits, loss, asked, peers } = lesson.step(net, batch, Moment { epoch, step });
        let own = Given { loss: &loss, logits: &logits };
        let given: Vec<_> = [own].into_iter().chain(peers.iter().map(Answer::noted)).collect();
        ledger.note(&given, &labels, &asked, step == compared);
        if ledger.is_due() {
            within = state.hear(within, at)?;
        }
        let State { net, lesson, optimizer_state, .. } = &mut *state;
        optimizer_state.step_with(net, &mut lesson.learned, loss.backward(), lr);
        lesson.group.update(peers, lr);
        kernels::settle();
    }
    state.settle(within, at)
}

#[cfg(test)]
mod tests;
