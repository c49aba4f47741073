//! Which class was taken for which, and how sure the network was: what pictures show of a measurement.

use super::{agreement::top, ece::BINS, softmax::log_softmax};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A network's answers on labelled images, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Classes.
    pub classes: usize,
    /// `[right class, answered class, images]`; what never happened is left out.
    pub confusion: Vec<[usize; 3]>,
    /// Confidences between 0 and 1 in bins of equal width, those of the calibration error.
    pub bins: Vec<Bin>,
}

/// The images whose confidence lies in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many.
    pub images: usize,
    /// How many of them were answered rightly.
    pub hits: usize,
    /// The sum of their confidences.
    pub confidence: f64,
}

impl Answers {
    /// Its file in an entry.
    pub const FILE: &'static str = "answers.json";

    /// Counts `logits`, `labels.len()` rows of `classes`.
    pub fn of(logits: &[f32], labels: &[u16], classes: usize) -> Self {
        let mut pairs = BTreeMap::<(usize, usize), usize>::new();
        let mut bins = vec![Bin::default(); BINS];
        for (row, &label) in logits.chunks_exact(classes).zip(labels) {
            let log_p = log_softmax(row, 1.0);
            let (right, answer) = (usize::from(label), top(row));
            let confidence = log_p[answer].exp();
            *pairs.entry((right, answer)).or_default() += 1;
            let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.images += 1;
            bin.hits += usize::from(right == answer);
            bin.confidence += confidence;
        }
        Self { classes, confusion: listed(pairs), bins }
    }

    /// With those of another seed.
    pub fn add(&mut self, other: &Self) {
        let mut pairs = BTreeMap::new();
        for &[right, answer, images] in self.confusion.iter().chain(&other.confusion) {
            *pairs.entry((right, answer)).or_default() += images;
        }
        self.classes = self.classes.max(other.classes);
        self.confusion = listed(pairs);
        self.bins.resize(self.bins.len().max(other.bins.len()), Bin::default());
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            bin.images += more.images;
            bin.hits += more.hits;
            bin.confidence += more.confidence;
        }
    }

    /// With the `most` frequent mistakes alone: of many classes there is no matrix to see.
    pub fn mistakes(mut self, most: usize) -> Self {
        self.confusion.retain(|[right, answer, _]| right != answer);
        self.confusion.sort_by_key(|&[_, _, images]| std::cmp::Reverse(images));
        self.confusion.truncate(most);
        self
    }
}

fn listed(pairs: BTreeMap<(usize, usize), usize>) -> Vec<[usize; 3]> {
    pairs.into_iter().map(|((right, answer), images)| [right, answer, images]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::metrics;

    const LOGITS: [f32; 12] = [2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 1.0, 1.0, 0.0, 0.0, 9.0, 0.0];
    const LABELS: [u16; 4] = [0, 1, 1, 1];

    #[test]
    fn answers_agree_with_accuracy_and_calibration_error() {
        let answers = Answers::of(&LOGITS, &LABELS, 3);
        assert_eq!(answers.confusion, [[0, 0, 1], [1, 0, 1], [1, 1, 1], [1, 2, 1]]);
        let metrics = metrics(&LOGITS, &LABELS, 3, 1.0);
        let hits: usize = answers.bins.iter().map(|bin| bin.hits).sum();
        assert_eq!(hits as f64 / 4.0, metrics.top1());
        let gaps = answers.bins.iter().map(|bin| (bin.confidence - bin.hits as f64).abs());
        assert!((gaps.sum::<f64>() / 4.0 - metrics.get("ece").unwrap()).abs() < 1e-12);
    }

    #[test]
    fn seeds_add_up_and_mistakes_come_first() {
        let mut both = Answers::of(&LOGITS, &LABELS, 3);
        both.add(&both.clone());
        assert_eq!(both.confusion, [[0, 0, 2], [1, 0, 2], [1, 1, 2], [1, 2, 2]]);
        assert_eq!(both.bins.iter().map(|bin| bin.images).sum::<usize>(), 8);
        both.add(&Answers { confusion: vec![[1, 2, 1]], ..Answers::default() });
        assert_eq!(both.mistakes(1).confusion, [[1, 2, 3]]);
    }
}
