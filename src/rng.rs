//! Random numbers that belong to a node: blake3's extendable output, keyed by
//! what the numbers are for.
//!
//! Every stream is a pure function of (seed, purpose, epoch, sample id). Nothing reads a global
//! generator, so nodes that run in parallel in one process cannot disturb one another, and a
//! stream's numbers do not change with a new version of a random-number library.

use blake3::{Hasher, OutputReader};

/// What a stream of random numbers is drawn for; part of the stream's identity.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// Initial value of the parameter with this name.
    Init(&'a str),
    /// Order of the training samples in one epoch.
    Shuffle,
    /// Which training samples are held out for validation.
    Holdout,
    /// How one training sample is changed in one epoch.
    Augment,
    /// Which teachers one batch of an epoch does without; its number stands for the sample.
    Drop,
    /// Towards which classes images of one batch of an epoch are moved; its number stands for the sample.
    Target,
    /// The seed of a network that learns beside others; its place stands for the sample.
    Peer,
    /// Where a trial of a search lies; its number stands for the sample.
    Trial,
    /// Which trials a tree looks at that tells what mattered; its number stands for the sample.
    Importance,
}

impl Purpose<'_> {
    fn label(self) -> String {
        match self {
            Self::Init(parameter) => format!("init/{parameter}"),
            Self::Shuffle => "shuffle".to_owned(),
            Self::Holdout => "holdout".to_owned(),
            Self::Augment => "augment".to_owned(),
            Self::Drop => "drop".to_owned(),
            Self::Target => "target".to_owned(),
            Self::Peer => "peer".to_owned(),
            Self::Trial => "trial".to_owned(),
            Self::Importance => "importance".to_owned(),
        }
    }
}

/// A reproducible stream of random numbers.
pub struct Stream {
    reader: OutputReader,
    block: [u8; 64],
    used: usize,
}

impl Stream {
    /// The stream for `(seed, purpose, epoch, sample)`. Use 0 where epoch or sample mean nothing.
    pub fn new(seed: u64, purpose: Purpose<'_>, epoch: u64, sample: u64) -> Self {
        let mut hasher = Hasher::new_derive_key("takd 2026-11 random stream");
        let label = purpose.label();
        for number in [seed, epoch, sample, label.len() as u64] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(label.as_bytes());
        Self { reader: hasher.finalize_xof(), block: [0; 64], used: 64 }
    }

    fn next_u32(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.reader.fill(&mut self.block);
            self.used = 0;
        }
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.block[self.used..self.used + 4]);
        self.used += 4;
        u32::from_le_bytes(bytes)
    }

    /// A number in [0, 1), with the 24 bits that an `f32` holds exactly.
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// A number from the standard normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        // 1 − u is in (0, 1]: its logarithm is finite.
        let radius = (-2.0 * f64::from(1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * f64::from(self.uniform())).cos()
    }

    /// A number in [0, bound), by Lemire's multiplication (2019, arXiv 1805.10941) on 64 bits;
    /// its bias, below bound / 2^64, is left in.
    pub fn below(&mut self, bound: u64) -> u64 {
        let word = u64::from(self.next_u32()) << 32 | u64::from(self.next_u32());
        ((u128::from(word) * u128::from(bound)) >> 64) as u64
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, purpose: Purpose<'_>, epoch: u64, sample: u64) -> [u64; 4] {
        let mut stream = Stream::new(seed, purpose, epoch, sample);
        std::array::from_fn(|_| stream.below(u64::MAX))
    }

    #[test]
    fn each_part_of_the_identity_changes_the_stream() {
        let base = draw(1, Purpose::Shuffle, 2, 3);
        assert_eq!(base, draw(1, Purpose::Shuffle, 2, 3));
        for other in [
            draw(9, Purpose::Shuffle, 2, 3),
            draw(1, Purpose::Holdout, 2, 3),
            draw(1, Purpose::Init("shuffle"), 2, 3),
            draw(1, Purpose::Shuffle, 9, 3),
            draw(1, Purpose::Shuffle, 2, 9),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_shuffle_is_pinned_across_versions() {
        let mut order: Vec<u32> = (0..8).collect();
        Stream::new(20, Purpose::Shuffle, 0, 0).shuffle(&mut order);
        assert_eq!(order, PINNED, "a change here changes every trained weight: raise KEY_VERSION");
    }

    const PINNED: [u32; 8] = [1, 3, 4, 5, 6, 2, 0, 7];

    #[test]
    fn uniform_fills_its_range() {
        let mut stream = Stream::new(0, Purpose::Init("w"), 0, 0);
        let draws: Vec<f32> = (0..10_000).map(|_| stream.uniform()).collect();
        let mean = draws.iter().sum::<f32>() / draws.len() as f32;
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)) && (mean - 0.5).abs() < 0.01);
    }
}
