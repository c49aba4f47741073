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

    /// The share of the images of `class` that were answered rightly; nothing if there is no such image.
    pub fn accuracy_of(&self, class: usize) -> Option<f64> {
        let own = self.confusion.iter().filter(|[right, ..]| *right == class);
        let (hits, all) = own.fold((0, 0), |(hits, all), &[right, answer, images]| {
            (hits + if answer == right { images } else { 0 }, all + images)
        });
        (all > 0).then(|| hits as f64 / all as f64)
    }

    /// The most frequent mistake: the right class, what it was taken for, and the share of the right class's
    /// images; of equally frequent ones the first, nothing if there is none.
    pub fn worst(&self) -> Option<(usize, usize, f64)> {
        let wrong = self.confusion.iter().filter(|[right, answer, _]| right != answer);
        let &[right, answer, images] = wrong.rev().max_by_key(|[_, _, images]| *images)?;
        let all: usize =
            self.confusion.iter().filter(|pair| pair[0] == right).map(|pair| pair[2]).sum();
        Some((right, answer, images as f64 / all as f64))
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
    fn accuracies_of_classes_average_to_the_accuracy() {
        let answers = Answers::of(&LOGITS, &LABELS, 3);
        let by_class = [0, 1, 2].map(|class| answers.accuracy_of(class));
        assert_eq!(by_class, [Some(1.0), Some(1.0 / 3.0), None]);
        let images = [1.0, 3.0, 0.0];
        let sum: f64 = by_class.iter().zip(images).map(|(own, n)| own.unwrap_or(0.0) * n).sum();
        assert_eq!(sum / 4.0, metrics(&LOGITS, &LABELS, 3, 1.0).top1());
        // Class 1 is taken for 0 and for 2 once each: the first is named.
        assert_eq!(answers.worst(), Some((1, 0, 1.0 / 3.0)));
        assert_eq!(Answers::of(&LOGITS[..3], &[0], 3).worst(), None);
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
