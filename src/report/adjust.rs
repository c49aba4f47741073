//! p-values of several tests at once.

use crate::pipeline::Adjust;

/// Each p as it counts beside the others, in their order.
pub(super) fn adjusted(ps: &[f64], how: Adjust) -> Vec<f64> {
    let count = ps.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| ps[a].total_cmp(&ps[b]));
    let mut adjusted = ps.to_vec();
    match how {
        Adjust::None => {}
        // Holm 1979, A simple sequentially rejective multiple test procedure: the smallest counts all
        // tests, the next one fewer, and none less than one that is smaller.
        Adjust::Holm => {
            let mut most: f64 = 0.0;
            for (rank, &at) in order.iter().enumerate() {
                most = most.max((count - rank) as f64 * ps[at]).min(1.0);
                adjusted[at] = most;
            }
        }
        // Benjamini & Hochberg 1995, Controlling the false discovery rate: from the largest on, p times
        // the number of tests over its rank, and none more than one that is larger.
        Adjust::Bh => {
            let mut least: f64 = 1.0;
            for (rank, &at) in order.iter().enumerate().rev() {
                least = least.min(count as f64 / (rank + 1) as f64 * ps[at]);
                adjusted[at] = least;
            }
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(ps: &[f64], how: Adjust, wants: &[f64]) {
        let found = adjusted(ps, how);
        let close = |(found, want): (&f64, &f64)| (found - want).abs() < 1e-12;
        assert!(found.iter().zip(wants).all(close), "{found:?}");
    }

    /// R: `p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")` and `"BH"`, and out of order with ties.
    #[test]
    fn values_are_those_of_r() {
        let ps = [0.01, 0.02, 0.03, 0.04, 0.05];
        near(&ps, Adjust::Holm, &[0.05, 0.08, 0.09, 0.09, 0.09]);
        near(&ps, Adjust::Bh, &[0.05; 5]);
        near(&ps, Adjust::None, &ps);
        let ps = [0.6, 0.001, 0.04, 0.04, 0.008];
        near(&ps, Adjust::Holm, &[0.6, 0.005, 0.12, 0.12, 0.032]);
        near(&ps, Adjust::Bh, &[0.6, 0.005, 0.05, 0.05, 0.02]);
        near(&[0.7, 0.9], Adjust::Holm, &[1.0, 1.0]);
        near(&[0.7, 0.9], Adjust::Bh, &[0.9, 0.9]);
        near(&[0.03], Adjust::Holm, &[0.03]);
        assert!(adjusted(&[], Adjust::Holm).is_empty());
    }
}
