//! A network in training as it is at one moment, on the host: read from its device in one copy.

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

impl Snapshot {
    /// Waits for the device.
    pub fn of(net: &Network, learned: &Learned, optimizer: &OptimizerState) -> Self {
        Self::beside(net, learned, optimizer, Vec::new()).0
    }

    /// The same, and the values of what is read `beside` it in the same copy.
    pub fn beside(
        net: &Network,
        learned: &Learned,
        optimizer: &OptimizerState,
        beside: Vec<Tensor<1>>,
    ) -> (Self, Vec<Vec<f32>>) {
        let (mut all, learned) = (net.flat(), learned.flat());
        let (weights, both) = (all.len(), all.len() + learned.len());
        all.extend(learned);
        all.extend(optimizer.flat());
        let (mut weights_first, beside) = read_beside(all, beside);
        let optimizer_state = weights_first.split_off(both);
        let learned = weights_first.split_off(weights);
        let steps = optimizer.steps();
        (Self { weights: weights_first, learned, optimizer: optimizer_state, steps }, beside)
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
