//! Temperature scaling (Guo et al. 2017): which temperature makes the labels likeliest.

use super::softmax::log_softmax;

/// Fitted temperatures lie between these; further out the labels ask for none, as where every image is
/// right, or for all alike.
const BOUNDS: [f64; 2] = [0.01, 100.0];
/// Relative change of 1/τ that ends the search.
const CLOSE: f64 = 1e-12;
const MOST_STEPS: usize = 100;

/// A fitted temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// τ.
    pub temperature: f64,
    /// Mean cross entropy of softmax(logits/τ) with the labels, in nats.
    pub loss: f64,
}

impl Fit {
    /// The temperature at which the mean cross entropy is least; `None` where it falls beyond the bounds.
    ///
    /// In β = 1/τ that mean is convex, so that the root of its slope is the only one: Newton's method finds
    /// it, and halves the bracket where a step would leave it.
    pub(super) fn of(logits: &[f32], labels: &[u16], classes: usize) -> Option<Self> {
        let slope = |beta| slope(logits, labels, classes, beta);
        let [mut low, mut high] = [1.0 / BOUNDS[1], 1.0 / BOUNDS[0]];
        // Not `>=`: of a slope that is not a number there is no fit either.
        if !(slope(low).0 < 0.0 && slope(high).0 > 0.0) {
            return None;
        }
        let mut beta = 1.0;
        for _ in 0..MOST_STEPS {
            let (first, second) = slope(beta);
            if first < 0.0 {
                low = beta;
            } else {
                high = beta;
            }
            let newton = beta - first / second;
            // Geometric halves: the bounds are four powers of ten apart.
            let next = if low < newton && newton < high { newton } else { (low * high).sqrt() };
            let moved = (next - beta).abs();
            beta = next;
            if moved <= CLOSE * beta {
                break;
            }
        }
        let temperature = 1.0 / beta;
        let rows = logits.chunks_exact(classes).zip(labels);
        let losses =
            rows.map(|(logits, &label)| -log_softmax(logits, temperature)[usize::from(label)]);
        let loss = losses.sum::<f64>() / labels.len() as f64;
        Some(Self { temperature, loss })
    }
}

/// First and second derivative by β of the mean cross entropy of softmax(β·logits): by how much the mean
/// logit exceeds the label's, and the variance of the logits, both under that softmax.
fn slope(logits: &[f32], labels: &[u16], classes: usize, beta: f64) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for (logits, &label) in logits.chunks_exact(classes).zip(labels) {
        // From the largest on, so that squares of large logits do not cancel.
        let top = f64::from(logits.iter().copied().fold(f32::MIN, f32::max));
        let (mut mass, mut mean, mut square) = (0.0, 0.0, 0.0);
        for &logit in logits {
            let below = f64::from(logit) - top;
            let weight = (beta * below).exp();
            mass += weight;
            mean += weight * below;
            square += weight * below * below;
        }
        (mean, square) = (mean / mass, square / mass);
        first += mean - (f64::from(logits[usize::from(label)]) - top);
        second += square - mean * mean;
    }
    let samples = labels.len() as f64;
    (first / samples, second / samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With two classes the margin m of the right class gives log(1 + exp(−βm)): of three margins of 1 and
    /// one of −1 the slope is 0 where exp(β) = 3.
    #[test]
    fn the_fit_is_the_closed_one() {
        let logits = [1.0, 0.0, 0.0, 1.0, 3.0, 2.0, 1.0, 0.0];
        let fit = Fit::of(&logits, &[0, 1, 0, 1], 2).unwrap();
        assert!((fit.temperature - 1.0 / 3f64.ln()).abs() < 1e-10, "{fit:?}");
        let entropy = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        assert!((fit.loss - entropy).abs() < 1e-12, "{fit:?}");
    }

    #[test]
    fn the_fit_scales_with_the_logits() {
        let logits = [2.0, 1.0, 0.0, -1.0, 0.5, 2.5, -0.5, 1.0, 0.0, 1.0, 2.0, 0.5];
        let fit = |scale: f32| Fit::of(&logits.map(|logit| logit * scale), &[0, 3, 2], 4).unwrap();
        let one = fit(1.0);
        for scale in [0.125, 8.0] {
            let other = fit(scale);
            assert!((other.temperature / one.temperature - f64::from(scale)).abs() < 1e-9);
            assert!((other.loss - one.loss).abs() < 1e-12);
        }
        let near = |by: f64| {
            let rows = logits.chunks_exact(4).zip([0, 3, 2]);
            rows.map(|(row, label)| -log_softmax(row, one.temperature * by)[label]).sum::<f64>()
                / 3.0
        };
        assert!(one.loss < near(1.01) && one.loss < near(0.99));
    }

    #[test]
    fn what_no_temperature_fits_has_none() {
        assert_eq!(Fit::of(&[3.0, 0.0, 0.0, 1.0], &[0, 1], 2), None, "every image is right");
        assert_eq!(Fit::of(&[3.0, 0.0, 0.0, 1.0], &[1, 0], 2), None, "every image is wrong");
        assert_eq!(Fit::of(&[1.0; 4], &[1, 0], 2), None, "every class is alike");
        assert_eq!(Fit::of(&[f32::NAN, 0.0], &[0], 2), None);
        let wild = Fit::of(&[f32::MAX, 0.0, f32::MAX, 0.0], &[1, 0], 2);
        assert!(wild.is_none_or(|fit| fit.temperature.is_finite() && fit.loss.is_finite()));
    }
}
