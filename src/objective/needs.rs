//! What an objective wants beside logits and labels, and what it is given.

use crate::tap::{Tap, Tapped};
use burn::tensor::Tensor;

/// What an objective wants of two networks, beside their logits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// The student's features beside its teacher's.
    pub pairs: Vec<[Tapped; 2]>,
    /// What it trains beside the student, and nobody else ever sees.
    pub parameters: Vec<Parameter>,
    /// Whether it asks both networks about images of its own making: see
    /// [`Distillation::ask`](super::Distillation::ask).
    pub asks: bool,
    /// What each term of a sum wants.
    pub terms: Vec<Needs>,
}

/// A tensor that is trained with a student, and left out of what is made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Unique in its objective; the generator that initialises it is known by it.
    pub name: &'static str,
    /// How many values it has.
    pub count: usize,
    /// What they are at first.
    pub start: Start,
}

/// A parameter's initial values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// All this number.
    Constant(f64),
    /// Uniform in ±1/√fan_in, PyTorch's default for convolutions.
    Uniform {
        /// Values that come together in one output.
        fan_in: usize,
    },
}

/// What an objective is given of a batch for its [`Needs`], in their order.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Features `[batch, channels, height, width]`.
    pub pairs: Vec<[Tensor<4>; 2]>,
    /// Parameters, flat.
    pub learned: Vec<Tensor<1>>,
    /// Logits of the student and its teacher, `[n, classes]`, of images that it asked about.
    pub asked: Option<[Tensor<2>; 2]>,
    /// Those of each term of a sum.
    pub terms: Vec<Given>,
}

impl Needs {
    /// Of features alone.
    pub fn features(pairs: Vec<[Tapped; 2]>) -> Self {
        Self { pairs, ..Self::default() }
    }

    /// Whether it asks networks about further images, itself or in a term.
    pub fn asks(&self) -> bool {
        self.asks || self.terms.iter().any(Self::asks)
    }

    /// Every pair, those of terms included.
    pub fn all_pairs(&self) -> Vec<[Tapped; 2]> {
        let terms = self.terms.iter().flat_map(Self::all_pairs);
        self.pairs.iter().copied().chain(terms).collect()
    }

    /// The teacher's taps that are wanted, each once.
    pub fn teachers(&self) -> Vec<Tapped> {
        let mut taps: Vec<Tapped> = self.all_pairs().into_iter().map(|[_, taps]| taps).collect();
        taps.sort_unstable_by_key(|tapped| tapped.tap);
        taps.dedup();
        taps
    }

    /// Every parameter, those of terms included, under names that differ.
    pub fn all_parameters(&self) -> Vec<(String, Parameter)> {
        let own = self.parameters.iter().map(|own| (own.name.to_owned(), own.clone()));
        let terms = self.terms.iter().enumerate().flat_map(|(index, term)| {
            let inner = term.all_parameters().into_iter();
            inner.map(move |(name, parameter)| (format!("{index}.{name}"), parameter))
        });
        own.chain(terms).collect()
    }

    /// The taps that are wanted of the student, then those of the teacher, each once.
    pub fn taps(&self) -> [Vec<Tap>; 2] {
        let pairs = self.all_pairs();
        [0, 1].map(|side| {
            let mut taps: Vec<Tap> = pairs.iter().map(|pair| pair[side].tap).collect();
            taps.sort_unstable();
            taps.dedup();
            taps
        })
    }

    /// What is given for it: features by their taps, and parameters in the order of
    /// [`all_parameters`](Self::all_parameters).
    pub fn give(&self, features: &[Vec<(Tap, Tensor<4>)>; 2], learned: &[Tensor<1>]) -> Given {
        let mut given = self.give_learned(learned);
        self.add_features(features, &mut given);
        given
    }

    /// The parameters alone.
    pub fn give_learned(&self, learned: &[Tensor<1>]) -> Given {
        let (own, mut rest) = learned.split_at(self.parameters.len());
        let terms = self.terms.iter().map(|term| {
            let (inner, after) = rest.split_at(term.all_parameters().len());
            rest = after;
            term.give_learned(inner)
        });
        let terms = terms.collect();
        Given { learned: own.to_vec(), terms, ..Given::default() }
    }

    fn add_features(&self, features: &[Vec<(Tap, Tensor<4>)>; 2], given: &mut Given) {
        let feature = |side: usize, tap: Tap| {
            let found = features[side].iter().find(|(known, _)| *known == tap);
            found.map(|(_, feature)| feature.clone()).expect("every wanted tap is there")
        };
        let pairs = self.pairs.iter();
        given.pairs =
            pairs.map(|[ours, theirs]| [feature(0, ours.tap), feature(1, theirs.tap)]).collect();
        for (term, given) in self.terms.iter().zip(&mut given.terms) {
            term.add_features(features, given);
        }
    }
}
