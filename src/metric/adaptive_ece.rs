//! Calibration error over bins of equal mass.

use super::{Better, Measure, Metric, Prediction, Unit};

/// As many bins as the other calibration error has.
const BINS: usize = 15;

pub(super) static ADAPTIVE_ECE: Metric = Metric {
    name: "adaptive_ece",
    title: "adaptive ECE",
    unit: Unit::Share,
    better: Better::Lower,
    doc: "expected calibration error over 15 bins of equally many images (Nguyen & O'Connor 2015)",
    measure: |setting| {
        let measure = || Box::<Confidences>::default() as Box<dyn Measure>;
        setting.softness.then(measure)
    },
};

/// Each image's confidence, and whether it is a hit.
#[derive(Default)]
struct Confidences(Vec<(f64, bool)>);

impl Measure for Confidences {
    fn add(&mut self, image: &Prediction<'_>) {
        let confidence = image.confidence();
        self.0.push((confidence, image.rank == 0));
    }

    fn value(&self, samples: usize) -> f64 {
        let mut sorted = self.0.clone();
        // Equal ones stay in the order of the images.
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let gaps = (0..BINS).map(|bin| {
            let images = &sorted[bin * samples / BINS..(bin + 1) * samples / BINS];
            let gap = images.iter().map(|&(sure, hit)| sure - f64::from(u8::from(hit)));
            gap.sum::<f64>().abs()
        });
        gaps.sum::<f64>() / samples as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_equally_many() {
        let of = |images: Vec<(f64, bool)>| Confidences(images.clone()).value(images.len());
        // One image a bin, out of order: each gap counts. Two a bin: pairs of a hit and a miss cancel.
        let each: Vec<_> =
            (0..15).rev().map(|i| (0.5 + f64::from(i) / 100.0, i % 2 == 0)).collect();
        let gap = |&(sure, hit): &(f64, bool)| (sure - f64::from(u8::from(hit))).abs();
        assert!((of(each.clone()) - each.iter().map(gap).sum::<f64>() / 15.0).abs() < 1e-12);
        let pairs: Vec<_> = (0..30).map(|i| (0.5 + f64::from(i / 2) / 1e6, i % 2 == 0)).collect();
        assert!(of(pairs) < 1e-4);
        assert!((of(vec![(0.75, false)]) - 0.75).abs() < 1e-12, "fewer images than bins");
    }
}
