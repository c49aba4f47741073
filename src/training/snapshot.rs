//! Networks in training as they are at one moment, on the host: read from their device in one copy.

use super::{LearnError, OptimizerState, learned::Learned};
use crate::{
    network::{NamedTensor, Network},
    tensors::read_beside,
};
use burn::tensor::Tensor;

/// All that a step changes.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Parameters and running statistics.
    pub weights: Vec<NamedTensor>,
    /// What the objective trains beside the network.
    pub learned: Vec<NamedTensor>,
    /// The optimizer's state.
    pub optimizer: Vec<NamedTensor>,
    /// Updates made.
    pub steps: i32,
}

/// The same on its device.
pub(super) struct Moving<'a> {
    pub net: &'a Network,
    /// Nothing beside a network that learns with another.
    pub learned: Option<&'a Learned>,
    pub optimizer: &'a OptimizerState,
}

impl Snapshot {
    /// One of each, and the values of what is read `beside` them. Waits for the device.
    pub fn read(
        of: &[Moving<'_>],
        beside: Vec<Tensor<1>>,
    ) -> (impl Iterator<Item = Self>, Vec<Vec<f32>>) {
        let parts = of.iter().map(|&Moving { net, learned, optimizer }| {
            let parts =
                [net.flat(), learned.map(Learned::flat).unwrap_or_default(), optimizer.flat()];
            (parts, optimizer.steps())
        });
        let parts: Vec<_> = parts.collect();
        let counts: Vec<_> =
            parts.iter().map(|(parts, steps)| (parts.each_ref().map(Vec::len), *steps)).collect();
        let all = parts.into_iter().flat_map(|(parts, _)| parts).flatten().collect();
        let (all, beside) = read_beside(all, beside);
        let mut all = all.into_iter();
        let snapshots = counts.into_iter().map(move |(counts, steps)| {
            let [weights, learned, optimizer] =
                counts.map(|count| all.by_ref().take(count).collect());
            Self { weights, learned, optimizer, steps }
        });
        (snapshots, beside)
    }

    /// That all of it is finite. The last step's update is not seen by any loss, and an optimizer's state that is
    /// infinite leaves its parameter where it is for good. `last` is the loss of the last step.
    ///
    /// # Errors
    /// [`LearnError::Overflown`] names the first tensor that is not.
    pub fn check(&self, epoch: usize, lr: f64, last: f64) -> Result<(), LearnError> {
        let wild = |tensor: &&NamedTensor| !tensor.is_finite();
        let own = self.weights.iter().chain(&self.learned).find(wild);
        let own = own.map(|tensor| tensor.name.clone());
        let state = || self.optimizer.iter().find(wild);
        let name = own.or_else(|| state().map(|tensor| format!("optimizer:{}", tensor.name)));
        name.map_or(Ok(()), |name| Err(LearnError::Overflown { name, epoch, lr, last }))
    }
}
