//! Logits as a distribution, in double precision.

/// Logarithms of softmax(logits/τ).
pub(crate) fn log_softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled: Vec<f64> = logits.iter().map(|&x| f64::from(x) / temperature).collect();
    let top = scaled.iter().fold(f64::MIN, |a, &b| a.max(b));
    let log_sum = scaled.iter().map(|x| (x - top).exp()).sum::<f64>().ln() + top;
    scaled.into_iter().map(|x| x - log_sum).collect()
}

/// Entropy of a distribution from its logarithms, in nats.
pub(super) fn entropy(log_p: &[f64]) -> f64 {
    -log_p.iter().map(|&x| x.exp() * x).sum::<f64>()
}
