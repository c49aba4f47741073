//! What a search of n trials may expect to find.

/// The expected best of n of `values`, drawn without replacement, for n from 1 to all of them:
/// E = Σ_{i≥n} C(i−1, n−1) / C(N, n) · x_(i), with x_(i) ascending (Tang et al. 2020, "Showing your work
/// doesn't always work", for the curves of Dodge et al. 2019).
pub fn expected_best(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    (1..=count)
        .map(|n| {
            // That the largest is the best has the chance n/N; below it each is a ratio of the one above:
            // no binomial is ever formed, so none overflows.
            let mut chance = n as f64 / count as f64;
            let mut sum = 0.0;
            for i in (n..=count).rev() {
                sum += chance * sorted[i - 1];
                chance *= (i - n) as f64 / (i.max(2) - 1) as f64;
            }
            sum
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::expected_best;

    #[test]
    fn golden_values() {
        let curve = expected_best(&[0.70, 0.72, 0.71, 0.75, 0.69]);
        for (n, want) in [0.714, 0.728, 0.737, 0.744, 0.75].into_iter().enumerate() {
            assert!((curve[n] - want).abs() < 1e-12, "{curve:?}");
        }
    }

    #[test]
    fn a_thousand_trials_are_no_matter() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let curve = expected_best(&values);
        assert!((curve[0] - 499.5).abs() < 1e-9 && (curve[999] - 999.0).abs() < 1e-9);
        // Of n out of 0 … N−1 the largest is n(N + 1)/(n + 1) − 1 in the mean.
        assert!((curve[9] - (10.0 * 1001.0 / 11.0 - 1.0)).abs() < 1e-6, "{}", curve[9]);
        assert!(curve.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
