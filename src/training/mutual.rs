//! Networks that learn from one another, beside the one that a training is of.
//!
//! All see the same batches; each has a loss, an optimizer and a best epoch of its own. Their updates
//! come after all their logits, so that no place among them is better than another (Zhang et al. 2018,
//! equation 8; `Deep-Mutual-Learning` 34a2058, `trainer.py`).

use super::{
    Checkpoint, LearnError, OptimizerState, Trained, Within,
    checkpoint::Best,
    collapse,
    ledger::{Given as Noted, Score},
    score::{At, keep_best, selected},
    snapshot::{Moving, Snapshot},
    validate,
};
use crate::{
    architecture::Architecture,
    dataset::View,
    history::EpochRecord,
    network::{Kernels, LoadError, Network},
    objective::{Batch, Distillation, Given},
    recipe::{OnCollapse, Recipe},
    rng::{Purpose, Stream},
    training::InferError,
};
use burn::tensor::{Device, Tensor};

/// Which networks learn from one another.
#[derive(Clone, Copy)]
pub struct Peers<'a> {
    /// All of them in their order, that of the training itself included.
    pub nets: &'a [Architecture],
    /// Its place among them.
    pub place: usize,
}

/// All but the network that the training is of.
#[derive(Default)]
pub(super) struct Group {
    /// Of the training's own network.
    place: usize,
    /// In their order.
    peers: Vec<Peer>,
}

struct Peer {
    place: usize,
    net: Network,
    optimizer: OptimizerState,
    history: Vec<EpochRecord>,
    best: Best,
    within: Within,
}

/// What one of them gave for a batch.
pub(super) struct Answer {
    loss: Tensor<1>,
    /// Without gradient.
    logits: Tensor<2>,
}

impl Answer {
    pub fn noted(&self) -> Noted<'_> {
        Noted { loss: &self.loss, logits: &self.logits }
    }
}

/// The seed of the initial weights at a place: equal networks must differ to teach each other
/// anything. The first has the training's own.
pub(super) fn seed(seed: u64, place: usize) -> u64 {
    match place {
        0 => seed,
        place => Stream::new(seed, Purpose::Peer, 0, place as u64).below(u64::MAX),
    }
}

impl Group {
    pub fn init(
        peers: Peers<'_>,
        recipe: &Recipe,
        of: u64,
        kernels: Kernels,
        device: &Device,
    ) -> Self {
        let others = peers.nets.iter().enumerate().filter(|(place, _)| *place != peers.place);
        let init = |(place, net): (usize, &Architecture)| {
            let weight = recipe.batchnorm_weight;
            let net = Network::init_with(net, seed(of, place), weight, device)
                .with_kernels(kernels)
                .with_precision(recipe.precision);
            let optimizer = OptimizerState::new(recipe.optimizer.clone(), device);
            let (history, best, within) = (Vec::new(), None, Within::default());
            Peer { place, net, optimizer, history, best, within }
        };
        Self { place: peers.place, peers: others.map(init).collect() }
    }

    /// Goes on where `left` was.
    pub fn load(
        &mut self,
        left: Vec<Checkpoint>,
        recipe: &Recipe,
        device: &Device,
    ) -> Result<(), LoadError> {
        if left.len() != self.peers.len() {
            let problem = format!("it has {} peers, not {}", left.len(), self.peers.len());
            return Err(LoadError { problems: vec![problem] });
        }
        for (peer, left) in self.peers.iter_mut().zip(left) {
            let Checkpoint { weights, optimizer, best, state, .. } = left;
            peer.net.load(weights)?;
            let rule = recipe.optimizer.clone();
            peer.optimizer = OptimizerState::load(rule, state.steps, &optimizer, device);
            peer.best = state.best.map(|(accuracy, epoch)| (accuracy, epoch, best));
            (peer.history, peer.within) = (state.history, state.within.unwrap_or_default());
        }
        Ok(())
    }

    /// What a step changes of each.
    pub fn moving(&self) -> impl Iterator<Item = Moving<'_>> {
        self.peers.iter().map(|Peer { net, optimizer, .. }| Moving {
            net,
            learned: None,
            optimizer,
        })
    }

    /// The state of each with its snapshot; `within` an epoch or between two.
    pub fn save(&self, snapshots: &[Snapshot], within: bool) -> Vec<Checkpoint> {
        let save = |(peer, snapshot): (&Peer, &Snapshot)| {
            let within = within.then_some(peer.within);
            Checkpoint::of(snapshot.clone(), &peer.best, &peer.history, within)
        };
        self.peers.iter().zip(snapshots).map(save).collect()
    }

    pub fn track(&mut self) {
        self.peers.iter_mut().for_each(|peer| peer.net.track());
    }

    /// New optimizers for all.
    pub fn restart(&mut self) {
        self.peers.iter_mut().for_each(|peer| peer.optimizer.restart());
    }

    /// At the first step of an epoch.
    pub fn begin(&mut self) {
        for peer in &mut self.peers {
            let last = peer.history.last().map(|record| record.loss);
            peer.within = Within { last, ..Within::default() };
        }
    }

    /// The loss of the training's own network, and what the others gave. `of_own` is the batch with its
    /// logits.
    pub fn step(
        &mut self,
        objective: &dyn Distillation,
        images: &Tensor<4>,
        of_own: &Batch,
    ) -> (Tensor<1>, Vec<Answer>) {
        let own = [(self.place, of_own.student.clone())];
        let others = self.peers.iter_mut();
        let others = others.map(|peer| (peer.place, peer.net.train(images.clone().autodiff())));
        let mut all: Vec<(usize, Tensor<2>)> = own.into_iter().chain(others).collect();
        all.sort_by_key(|(place, _)| *place);
        let loss = |place: usize| {
            let teachers = all.iter().filter(|(other, _)| *other != place);
            let teachers: Vec<_> = teachers.map(|(_, logits)| logits.clone().detach()).collect();
            let sum = teachers.iter().cloned().reduce(|sum, logits| sum + logits);
            let student = all[place].1.clone();
            let teacher = sum.map_or(student.clone(), |sum| sum / teachers.len() as f64);
            let given = Given::default();
            objective.loss(Batch { student, teacher, teachers, given, ..of_own.clone() })
        };
        let answers = self.peers.iter().map(|peer| {
            let logits = all[peer.place].1.clone().inner();
            Answer { loss: loss(peer.place), logits }
        });
        let answers = answers.collect();
        (loss(self.place), answers)
    }

    /// One update of each.
    pub fn update(&mut self, answers: Vec<Answer>, lr: f64) {
        for (peer, Answer { loss, .. }) in self.peers.iter_mut().zip(answers) {
            peer.optimizer.step(&mut peer.net, loss.backward(), lr);
        }
    }

    /// With a step of so many images.
    pub fn after(&mut self, images: usize, scores: &[Score], at: At<'_>) -> Result<(), LearnError> {
        for (peer, score) in self.peers.iter_mut().zip(scores) {
            let after = peer.within.after(images, *score, at);
            peer.within = after.map_err(|error| peer.failed(error))?;
        }
        Ok(())
    }

    /// The accuracy of each on `view`.
    pub fn evaluate(
        &self,
        view: &View,
        classes: usize,
        go_on: &mut dyn FnMut(&[f32]) -> bool,
    ) -> Result<Vec<f64>, InferError> {
        let accuracy = |peer: &Peer| validate::accuracy(&peer.net, view, classes, go_on);
        self.peers.iter().map(accuracy).collect()
    }

    /// Ends an epoch, after which they are as `snapshots` says, with what [`evaluate`](Self::evaluate) gave, if there was
    /// anything to evaluate.
    pub fn close(
        &mut self,
        snapshots: &[Snapshot],
        accuracies: Option<Vec<f64>>,
        at: At<'_>,
        classes: usize,
        on_collapse: OnCollapse,
    ) -> Result<(), LearnError> {
        let At { recipe, epoch, lr, samples, .. } = at;
        for (index, (peer, snapshot)) in self.peers.iter_mut().zip(snapshots).enumerate() {
            let record = peer.within.record(at, accuracies.as_ref().map(|all| all[index]));
            let EpochRecord { loss, train_accuracy, .. } = record;
            snapshot.check(epoch, lr, loss).map_err(|error| peer.failed(error))?;
            keep_best(&mut peer.best, &record, recipe.select, &snapshot.weights);
            peer.history.push(record);
            let sign = collapse::sign(&peer.history, recipe, classes, samples);
            if let (Some(sign), OnCollapse::Stop) =
                (sign.filter(|sign| sign.is_sure()), on_collapse)
            {
                let (accuracy, causes) = (train_accuracy, Vec::new());
                let collapse = collapse::Collapse { epoch, sign, loss, accuracy, causes };
                return Err(peer.failed(LearnError::Collapsed(collapse)));
            }
        }
        Ok(())
    }

    /// The trained networks.
    pub fn finish(self, recipe: &Recipe, [classes, samples]: [usize; 2]) -> Vec<Trained> {
        let finish = |Peer { net, history, best, .. }: Peer| {
            let collapsed = collapse::first(&history, recipe, [classes, samples], |_| true);
            let (selected, weights) = selected(best, history.len(), &net);
            Trained { weights, history, selected, collapsed, peers: Vec::new() }
        };
        self.peers.into_iter().map(finish).collect()
    }
}

impl Peer {
    fn failed(&self, error: LearnError) -> LearnError {
        LearnError::Peer { place: self.place + 1, error: Box::new(error) }
    }
}
