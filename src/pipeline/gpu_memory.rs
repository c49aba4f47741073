//! How much memory of a GPU a node takes, by shapes alone: an estimate of its peak.
//!
//! In bytes of 32-bit numbers: weights, their gradients, the optimizer's state, a flat copy of weights and gradients each
//! for the update of all as one, and the best epoch's weights; of each image of a batch what a backward pass reads and
//! the gradients on its way, of which there are three at a time; the images themselves, as bytes, with labels; stored
//! logits, or the networks that are asked in their place. `.ci/cuda` holds it beside what a run asks a driver for.

use super::{Learn, Pipeline, Teacher, Work};
use crate::{
    architecture::Architecture,
    dataset::{Data, Split},
    recipe::Select,
};

/// Bytes of a 32-bit number.
const WORD: u128 = 4;
/// Gradients and outputs of a layer that are there at one time while it is gone through.
const PASSING: u128 = 3;

/// Bytes that a node takes of a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuMemory {
    /// Whatever the batch.
    fixed: u128,
    /// For each image of a batch.
    image: u128,
    /// Images of a batch; 0 where nothing is learned.
    batch: usize,
    /// For what is asked and does not learn, at another time than a batch.
    apart: u128,
}

impl GpuMemory {
    /// So many bytes whatever the batch, and so many for each of the batch's images.
    pub fn of(fixed: u128, image: u128, batch: usize) -> Self {
        Self { fixed, image, batch, apart: 0 }
    }

    /// All of it.
    pub fn bytes(&self) -> u128 {
        self.with_batch(self.batch)
    }

    fn with_batch(&self, batch: usize) -> u128 {
        self.fixed + self.apart.max(self.image * batch as u128)
    }

    /// The largest batch below its own, by halves, that takes so many bytes at most; nothing if one image takes more,
    /// or nothing is learned.
    pub fn batch_within(&self, bytes: u128) -> Option<usize> {
        let halves = std::iter::successors(Some(self.batch / 2), |batch| Some(batch / 2));
        let mut smaller = halves.take_while(|&batch| batch > 0);
        smaller.find(|&batch| self.with_batch(batch) <= bytes)
    }
}

impl Pipeline {
    /// What the node at `node` takes of a GPU.
    pub fn gpu_memory(&self, node: usize) -> GpuMemory {
        match &self.nodes[node].work {
            Work::Learn(learn) => self.learning(learn),
            Work::Eval(eval) => {
                let learn = self.learn(eval.of);
                let images = learn.images(eval.split);
                let teacher = eval.teacher.map(|teacher| &self.learn(teacher).net);
                let nets = [Some(&learn.net), teacher].into_iter().flatten();
                let weights: u128 = nets.clone().map(weights).sum();
                let apart = nets.map(passing).max().unwrap_or(0);
                let fixed = held(&learn.data, images) + weights;
                GpuMemory { fixed, apart, ..GpuMemory::default() }
            }
        }
    }

    fn learning(&self, learn: &Learn) -> GpuMemory {
        let Some(recipe) = learn.recipe() else { return GpuMemory::default() };
        let images = learn.data.trained();
        let scored = match recipe.select {
            Select::BestTest => learn.images(Split::Test),
            Select::BestValidation | Select::Last => learn.images(Split::Validation),
        };
        let copies = 4 + recipe.optimizer.states() + usize::from(recipe.select != Select::Last);
        let trained = learn.trained();
        let weights: u128 = trained.iter().map(weights).sum();
        let image = trained.iter().map(|net| {
            let (all, largest) = net.activations();
            WORD * (all as u128 + PASSING * largest as u128)
        });
        let own = if scored > 0 { trained.iter().map(passing).max() } else { None };
        let (taught, asked) = learn.teacher().map_or((0, 0), |teacher| self.taught(learn, teacher));
        GpuMemory {
            fixed: weights * copies as u128
                + held(&learn.data, images)
                + held(&learn.data, scored)
                + taught,
            image: image.sum(),
            batch: recipe.batch_size.min(images),
            apart: asked.max(own.unwrap_or(0)),
        }
    }

    /// What a student's teachers take, and what they take while they are asked.
    fn taught(&self, learn: &Learn, teacher: &Teacher) -> (u128, u128) {
        let nets = teacher.nodes.iter().map(|&node| &self.learn(node).net);
        let asked = nets.clone().map(passing).max().unwrap_or(0);
        let all: u128 = nets.clone().map(weights).sum();
        let classes = learn.net.classes() as u128;
        let stored = WORD * learn.data.trained() as u128 * classes;
        let each = teacher.nodes.len().max(1) as u128;
        let kept = match learn.features() {
            Some((bytes, true)) => bytes + all,
            _ if learn.asks_teachers() => all,
            _ => stored * each + nets.map(weights).max().unwrap_or(0),
        };
        (kept, asked)
    }
}

/// Images on the device, with a label each; those in files of their own come a batch at a time.
fn held(data: &Data, images: usize) -> u128 {
    let pixels = if data.format.in_files() { 0 } else { data.info.shape.size() as u128 };
    images as u128 * (pixels + WORD)
}

/// A network's parameters.
fn weights(net: &Architecture) -> u128 {
    WORD * net.parameters() as u128
}

/// What images take on their way through a network that learns nothing: a layer's input, its output, and what lies
/// between.
fn passing(net: &Architecture) -> u128 {
    let (_, largest) = net.activations();
    WORD * PASSING * largest as u128 * net.input().together() as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_half_that_fits_is_found() {
        let need = GpuMemory::of(100, 10, 128);
        assert_eq!(need.bytes(), 1380);
        assert_eq!(need.batch_within(1379), Some(64));
        assert_eq!(need.batch_within(740), Some(64));
        assert_eq!(need.batch_within(739), Some(32));
        assert_eq!(need.batch_within(110), Some(1));
        assert_eq!(need.batch_within(109), None);
        assert_eq!(GpuMemory::of(100, 0, 0).batch_within(1000), None);
    }
}
