//! How a softmax spreads over the wrong classes of an image.

use super::Prediction;

/// Of one image; variances are divided by the number of wrong classes.
pub(super) struct Wrong {
    /// e: mean probability of a wrong class.
    pub mean: f64,
    /// v: variance of these probabilities.
    pub variance: f64,
    /// v̂: variance of the softmax over the wrong classes alone, which no confidence in the right one shrinks.
    pub inherent: f64,
}

impl Wrong {
    /// Of an image with at least two classes.
    pub fn of(image: &Prediction<'_>) -> Self {
        let logs = || {
            let others = image.log_p.iter().enumerate().filter(|&(class, _)| class != image.label);
            others.map(|(_, &log_p)| log_p)
        };
        let count = logs().count() as f64;
        // Their softmax first: where the right class has all but nothing to spare, probabilities vanish.
        let top = logs().fold(f64::MIN, f64::max);
        let sum = logs().map(|log_p| (log_p - top).exp()).sum::<f64>();
        let inherent = logs().map(|log_p| (log_p - top).exp() / sum - 1.0 / count);
        let inherent = inherent.map(|off| off * off).sum::<f64>() / count;
        let mean = logs().map(f64::exp).sum::<f64>() / count;
        let variance = logs().map(|log_p| (log_p.exp() - mean).powi(2)).sum::<f64>() / count;
        Self { mean, variance, inherent }
    }
}
