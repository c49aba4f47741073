//! How likely each value of a choice is.

/// Chances of values.
pub(super) struct Categorical(Vec<f64>);

impl Categorical {
    /// Weighted counts, to each of which the prior adds its weight (NNI's `suggest_categorical`).
    pub fn counts(count: usize, seen: &[usize], weights: &[f64], prior: f64) -> Self {
        let mut chances = vec![prior; count];
        seen.iter().zip(weights).for_each(|(&index, weight)| chances[index] += weight);
        Self::normal(chances)
    }

    /// A mixture: each trial is a distribution of its own, the prior one of equal chances (Optuna's
    /// `_calculate_categorical_distributions`).
    pub fn kernels(count: usize, seen: &[usize], weights: &[f64], prior: f64) -> Self {
        let kernels = seen.len() + 1;
        // What each kernel spreads over all values.
        let spread = prior / kernels as f64;
        let row = 1.0 + spread * count as f64;
        let all = weights.iter().sum::<f64>() + prior;
        let mut chances = vec![prior / all / count as f64; count];
        for (&index, weight) in seen.iter().zip(weights) {
            chances.iter_mut().for_each(|chance| *chance += weight / all * spread / row);
            chances[index] += weight / all / row;
        }
        Self::normal(chances)
    }

    fn normal(mut chances: Vec<f64>) -> Self {
        let sum: f64 = chances.iter().sum();
        chances.iter_mut().for_each(|chance| *chance /= sum);
        Self(chances)
    }

    pub fn log_p(&self, index: usize) -> f64 {
        self.0[index].ln()
    }

    /// The value at a number in [0, 1).
    pub fn draw(&self, unit: f64) -> usize {
        let mut left = unit;
        for (index, chance) in self.0.iter().enumerate() {
            left -= chance;
            if left < 0.0 {
                return index;
            }
        }
        self.0.len() - 1
    }
}
