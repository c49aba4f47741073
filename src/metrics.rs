//! What an evaluation measures, from logits on the host.

use serde::{Deserialize, Serialize};

/// Equal-width confidence bins of the calibration error (Guo et al. 2017 use 15).
const BINS: usize = 15;

/// How good a network's logits are on labelled images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Share of images whose highest logit is the label's, in [0, 1].
    pub top1: f64,
    /// Share with the label among the five highest; only where there are more than five classes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top5: Option<f64>,
    /// Mean cross entropy, in nats.
    pub loss: f64,
    /// Expected calibration error over 15 bins (Guo et al. 2017, eq. 3), in [0, 1].
    pub ece: f64,
    /// Mean entropy of softmax(logits), in nats.
    pub entropy: f64,
    /// Mean entropy of softmax(logits/τ), in nats: the paper's sharpness factor.
    pub entropy_at_temperature: f64,
    /// Images measured.
    pub samples: usize,
}

impl Metrics {
    /// The first number that is NaN or infinite, with its name; such metrics are no result.
    pub fn not_finite(&self) -> Option<(&'static str, f64)> {
        let Self { top1, top5, loss, ece, entropy, entropy_at_temperature, samples: _ } = *self;
        let all = [
            ("top1", top1),
            ("top5", top5.unwrap_or(0.0)),
            ("loss", loss),
            ("ece", ece),
            ("entropy", entropy),
            ("entropy_at_temperature", entropy_at_temperature),
        ];
        all.into_iter().find(|(_, value)| !value.is_finite())
    }
}

/// Measures `logits`, `labels.len()` rows of `classes`, with `temperature` for the second entropy.
///
/// # Panics
/// If there is no image, or the lengths do not agree.
pub fn metrics(logits: &[f32], labels: &[u16], classes: usize, temperature: f64) -> Metrics {
    assert!(!labels.is_empty() && logits.len() == labels.len() * classes, "one row a label");
    let samples = labels.len();
    let (mut hits, mut top5, mut loss, mut entropy, mut soft) = (0usize, 0usize, 0.0, 0.0, 0.0);
    let mut bins = [(0.0, 0.0); BINS]; // (sum of confidence, sum of hits)
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let label = usize::from(label);
        let log_p = log_softmax(row, 1.0);
        let rank = rank(row, label);
        let (best, confidence) = (rank == 0, log_p.iter().fold(f64::MIN, |a, &b| a.max(b)).exp());
        hits += usize::from(best);
        top5 += usize::from(rank < 5);
        loss -= log_p[label];
        entropy += entropy_of(&log_p);
        soft += entropy_of(&log_softmax(row, temperature));
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + confidence, bin.1 + f64::from(u8::from(best)));
    }
    let count = samples as f64;
    Metrics {
        top1: hits as f64 / count,
        top5: (classes > 5).then_some(top5 as f64 / count),
        loss: loss / count,
        ece: bins
            .iter()
            .map(|(confidence, hits): &(f64, f64)| (confidence - hits).abs())
            .sum::<f64>()
            / count,
        entropy: entropy / count,
        entropy_at_temperature: soft / count,
        samples,
    }
}

/// How many logits come before the label's; of equal ones the lower class comes first. What is no
/// number is never right.
fn rank(row: &[f32], label: usize) -> usize {
    let own = row[label];
    if row.iter().any(|logit| logit.is_nan()) {
        return row.len();
    }
    let before = |(class, &logit): (usize, &f32)| logit > own || (logit == own && class < label);
    row.iter().enumerate().filter(|&pair| before(pair)).count()
}

fn log_softmax(row: &[f32], temperature: f64) -> Vec<f64> {
    let scaled: Vec<f64> = row.iter().map(|&x| f64::from(x) / temperature).collect();
    let top = scaled.iter().fold(f64::MIN, |a, &b| a.max(b));
    let log_sum = scaled.iter().map(|x| (x - top).exp()).sum::<f64>().ln() + top;
    scaled.into_iter().map(|x| x - log_sum).collect()
}

fn entropy_of(log_p: &[f64]) -> f64 {
    -log_p.iter().map(|&x| x.exp() * x).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_logits_have_full_entropy_and_chance_loss() {
        let m = metrics(&[0.0; 20], &[0, 3], 10, 5.0);
        let full = 10f64.ln();
        for value in [m.loss, m.entropy, m.entropy_at_temperature] {
            assert!((value - full).abs() < 1e-12);
        }
        // Ties go to the lower class: label 0 is a hit, label 3 is fourth.
        assert_eq!((m.top1, m.top5), (0.5, Some(1.0)));
        assert!((m.ece - 0.4).abs() < 1e-12, "confidence 0.1 against accuracy 0.5");
    }

    #[test]
    fn top5_is_absent_where_it_says_nothing() {
        assert_eq!(metrics(&[1.0, 0.0], &[0], 2, 1.0).top5, None);
    }

    #[test]
    fn what_is_no_number_is_never_right() {
        let m = metrics(&[f32::NAN, f32::NAN, f32::NAN, 0.0], &[0, 1], 2, 1.0);
        assert_eq!(m.top1, 0.0);
    }

    #[test]
    fn a_temperature_that_no_logit_can_be_divided_by_is_told() {
        let wild = metrics(&[4.0, 0.0], &[0], 2, 1e-310);
        let (name, value) = wild.not_finite().unwrap();
        assert!(name == "entropy_at_temperature" && value.is_nan());
        assert_eq!(metrics(&[4.0, 0.0], &[0], 2, 1.0).not_finite(), None);
    }

    #[test]
    fn temperature_flattens() {
        let m = metrics(&[4.0, 0.0, 0.0], &[0], 3, 4.0);
        assert!(m.entropy < m.entropy_at_temperature);
    }
}
