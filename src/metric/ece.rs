//! Expected calibration error.

use super::{Better, Measure, Metric, Prediction, Unit};

/// Equal-width confidence bins (Guo et al. 2017 use 15).
pub(super) const BINS: usize = 15;

pub(super) static ECE: Metric = Metric {
    name: "ece",
    title: "calibration error",
    unit: Unit::Share,
    better: Better::Lower,
    doc: "expected calibration error over 15 bins (Guo et al. 2017, eq. 3)",
    measure: |_| Some(Box::new(Bins::default())),
};

/// Of each bin, the sum of confidences and the number of hits.
#[derive(Default)]
struct Bins([(f64, f64); BINS]);

impl Measure for Bins {
    fn add(&mut self, image: &Prediction<'_>) {
        let confidence = image.confidence();
        let bin = &mut self.0[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + confidence, bin.1 + f64::from(u8::from(image.rank == 0)));
    }

    fn value(&self, samples: usize) -> f64 {
        let gaps = self.0.iter().map(|(confidence, hits)| (confidence - hits).abs());
        gaps.sum::<f64>() / samples as f64
    }
}
