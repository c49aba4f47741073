//! What steps gave, read from the device now and then.
//!
//! A GPU is given steps ahead of time, and whoever reads a number waits until it has made all of them. So
//! each step's numbers stay there, and many steps' are read together: about once a second, and with all
//! that a step changes before a checkpoint and at an epoch's end. On a CPU nothing waits, and each step is
//! read at once.

use super::{collapse::is_constant, validate::hits};
use crate::{
    kernels::score,
    tensors::{hosts, is_host},
};
use burn::tensor::{Device, Int, Tensor};
use std::time::{Duration, Instant};

/// Steps whose numbers fit a GPU's ledger.
const STEPS: usize = 1024;
/// About the time between two readings.
const BETWEEN: Duration = Duration::from_secs(1);

/// Steps that a device has been given, and their numbers there.
pub(super) struct Ledger {
    device: Device,
    /// The sum of the teachers' logits, then loss and hits of each network: `STEPS` of each. Made when
    /// the number of networks is known.
    numbers: Option<Tensor<1>>,
    capacity: usize,
    /// Images of each step that has not been read.
    images: Vec<usize>,
    /// Logits of each network in a step that is looked at for a collapse, and the step's place.
    compared: Option<(usize, Vec<Tensor<2>>)>,
    /// Steps from one reading to the next, as the device's pace has it.
    period: usize,
    read: Instant,
}

/// What one network gave for a batch.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// `[1]`.
    pub loss: &'a Tensor<1>,
    /// Without gradient.
    pub logits: &'a Tensor<2>,
}

/// A step as it was read.
pub(super) struct Heard {
    pub images: usize,
    /// Whether the logits of a teacher that was asked just then are NaN or infinite.
    pub wild: bool,
    /// Of each network.
    pub each: Vec<Score>,
}

/// What one network made of a step.
#[derive(Clone, Copy)]
pub(super) struct Score {
    pub loss: f64,
    /// Images whose largest logit was that of their label.
    pub hits: usize,
    /// Whether all images had the same logits, if that was looked at.
    pub constant: Option<bool>,
}

impl Ledger {
    pub fn new(device: &Device) -> Self {
        Self::with(device, if is_host(device) { 1 } else { STEPS })
    }

    fn with(device: &Device, capacity: usize) -> Self {
        let (numbers, images, compared) = (None, Vec::new(), None);
        let (device, period, read) = (device.clone(), 1, Instant::now());
        Self { device, numbers, capacity, images, compared, period, read }
    }

    /// Notes a step: what each network gave for images with these `labels`, the logits of teachers that
    /// were `asked`, and whether a collapse is looked for.
    pub fn note(
        &mut self,
        given: &[Given<'_>],
        labels: &Tensor<1, Int>,
        asked: &[Tensor<2>],
        compared: bool,
    ) {
        let (place, capacity) = (self.images.len(), self.capacity);
        let size = capacity * (1 + 2 * given.len());
        let numbers = self.numbers.take().unwrap_or_else(|| Tensor::zeros([size], &self.device));
        let sums = asked.iter().map(|logits| logits.clone().inner().sum());
        let at = |column: usize| column * capacity + place;
        let write = |numbers: Tensor<1>, column: usize, number: Tensor<1>| {
            numbers.slice_assign(at(column)..at(column) + 1, number)
        };
        let mut numbers = match sums.reduce(|sum, logits| sum + logits) {
            Some(sum) => write(numbers, 0, sum),
            None => numbers,
        };
        for (network, Given { loss, logits }) in given.iter().enumerate() {
            let [first, second] = [1 + 2 * network, 2 + 2 * network];
            let loss = (*loss).clone().inner();
            numbers = score(numbers, &loss, logits, labels, [at(first), at(second)])
                .unwrap_or_else(|numbers| {
                    write(write(numbers, first, loss), second, hits(logits, labels))
                });
        }
        self.numbers = Some(numbers);
        self.images.push(labels.dims()[0]);
        if compared {
            let logits = given.iter().map(|given| given.logits.clone());
            self.compared = Some((place, logits.collect()));
        }
    }

    /// Whether it is time to read.
    pub fn is_due(&self) -> bool {
        self.images.len() >= self.period
    }

    /// The steps since the last reading, in their order; waits for the device.
    pub fn read(&mut self) -> Vec<Heard> {
        let unread = hosts(self.unread());
        self.hear(&unread)
    }

    /// What the steps since the last reading have left on the device; its values are for
    /// [`hear`](Self::hear).
    pub fn unread(&self) -> Vec<Tensor<1>> {
        let numbers = self.numbers.iter().filter(|_| !self.images.is_empty()).cloned();
        let compared = self.compared.iter().flat_map(|(_, logits)| logits);
        let flat = |logits: &Tensor<2>| logits.clone().flatten(0, 1);
        numbers.chain(compared.map(flat)).collect()
    }

    /// These steps, in their order, out of the values of what they had left.
    pub fn hear(&mut self, unread: &[Vec<f32>]) -> Vec<Heard> {
        let images = std::mem::take(&mut self.images);
        let Some((numbers, logits)) = unread.split_first() else {
            return Vec::new();
        };
        let capacity = self.capacity;
        let networks = (numbers.len() / capacity - 1) / 2;
        let compared = self.compared.take().map(|(at, each)| {
            let each = each.iter().zip(logits);
            let each = each.map(|(tensor, values)| is_constant(values, tensor.dims()[1]));
            (at, each.collect::<Vec<bool>>())
        });
        let steps = images.iter().enumerate().map(|(place, &images)| {
            let number = |column: usize| numbers[column * capacity + place];
            let compared = compared.as_ref().filter(|(at, _)| *at == place);
            let score = |network: usize| {
                let (loss, hits) = (number(1 + 2 * network), number(2 + 2 * network));
                let constant = compared.map(|(_, constant)| constant[network]);
                Score { loss: f64::from(loss), hits: hits as usize, constant }
            };
            let each = (0..networks).map(score).collect();
            Heard { images, wild: !number(0).is_finite(), each }
        });
        let steps: Vec<Heard> = steps.collect();
        let pace = steps.len() as f64 / self.read.elapsed().as_secs_f64().max(1e-6);
        let wanted = (pace * BETWEEN.as_secs_f64()) as usize;
        // The first steps of a process take long: kernels are compiled.
        self.period = wanted.clamp(1, (2 * self.period).min(capacity));
        self.read = Instant::now();
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three steps of two networks, read together: as they were noted.
    #[test]
    fn steps_are_read_together_and_in_order() {
        let device = Device::flex();
        let mut ledger = Ledger::with(&device, 4);
        assert!(ledger.read().is_empty());
        let floats = |values: [f32; 2]| Tensor::<1>::from_floats(values, &device);
        let labels = Tensor::<1, Int>::from_ints([0, 1], &device);
        let right = Tensor::cat(vec![floats([1.0, 0.0]), floats([0.0, 1.0])], 0).reshape([2, 2]);
        let wrong = right.clone().flip([0]);
        for (step, wild) in [(1.0, 0.0), (2.0, f32::NAN), (3.0, 0.0)] {
            let losses = [step, -step].map(|loss| Tensor::<1>::from_floats([loss], &device));
            let given = [
                Given { loss: &losses[0], logits: &right },
                Given { loss: &losses[1], logits: &wrong },
            ];
            ledger.note(&given, &labels, &[right.clone() + wild], step == 2.0);
        }
        let heard = ledger.read();
        let wild: Vec<bool> = heard.iter().map(|step| step.wild).collect();
        assert_eq!(wild, [false, true, false]);
        let losses = |network: usize| heard.iter().map(|step| step.each[network].loss).collect();
        let (own, peer): (Vec<f64>, Vec<f64>) = (losses(0), losses(1));
        assert_eq!((own, peer), (vec![1.0, 2.0, 3.0], vec![-1.0, -2.0, -3.0]));
        for (place, step) in heard.iter().enumerate() {
            let [own, peer] = step.each[..] else { panic!("two networks") };
            assert_eq!((step.images, own.hits, peer.hits), (2, 2, 0));
            // Two images are too few to say that all are the same.
            let constant = (place == 1).then_some(false);
            assert_eq!((own.constant, peer.constant), (constant, constant));
        }
        assert!(ledger.read().is_empty() && !ledger.is_due());
    }

    #[test]
    fn a_cpu_reads_each_step_and_a_gpu_no_more_than_it_keeps() {
        assert_eq!(Ledger::new(&Device::flex()).capacity, 1);
        let device = Device::flex();
        let mut ledger = Ledger::with(&device, 4);
        let (loss, logits) = (Tensor::ones([1], &device), Tensor::ones([1, 2], &device));
        let labels = Tensor::<1, Int>::from_ints([0], &device);
        let mut readings = Vec::new();
        for _ in 0..20 {
            ledger.note(&[Given { loss: &loss, logits: &logits }], &labels, &[], false);
            if ledger.is_due() {
                readings.push(ledger.read().len());
            }
        }
        // Far more than four a second.
        assert_eq!(readings[..4], [1, 2, 4, 4]);
    }
}
