//! The density of numbers: a mixture of normal distributions, cut off at the domain's ends.

use super::Style;
use crate::search::Domain;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// A mixture over numbers, or over their logarithms.
pub(super) struct Parzen {
    domain: Domain,
    /// Ends of what is cut off.
    low: f64,
    high: f64,
    /// Half the distance of two numbers that it may be, where a number stands for all around it.
    half: Option<f64>,
    kernels: Vec<Kernel>,
    log: bool,
}

struct Kernel {
    normal: Normal,
    /// What its density counts, such that that of all of them is 1 over the domain.
    weight: f64,
    /// The chance that a number comes from it.
    chance: f64,
}

impl Parzen {
    /// Of the numbers `seen`, and a prior as wide as the domain in its middle; `weights` are theirs, the
    /// prior's last.
    ///
    /// A kernel is as wide as the larger gap to a neighbour, but no narrower than the domain divided by
    /// min(100, n + 2), n the count of numbers, and no wider than the domain. NNI counts the prior among
    /// the neighbours, and cuts off the mixture as a whole; Optuna does not, cuts off each kernel, and takes
    /// a number with a step for all that is nearest to it.
    pub fn new(domain: &Domain, seen: &[f64], weights: &[f64], style: Style) -> Self {
        let Domain::Number { low, high, log, step, integer } = *domain else {
            unreachable!("choices have no density")
        };
        let scale = |number: f64| if log { number.ln() } else { number };
        let step = step.or(integer.then_some(1.0)).filter(|_| style == Style::Optuna);
        let half = step.map(|step| step / 2.0);
        let around = half.unwrap_or(0.0);
        let (low, high) = (scale(low - around), scale(high + around));
        let means: Vec<f64> = seen.iter().map(|&number| scale(number)).collect();
        let (middle, width) = (f64::midpoint(low, high), high - low);
        let gaps = match style {
            Style::Nni => {
                let with_prior: Vec<f64> = means.iter().copied().chain([middle]).collect();
                // Of one number the prior is no neighbour.
                if means.len() == 1 { vec![width / 2.0] } else { gaps(&with_prior, width) }
            }
            Style::Optuna => {
                // Of one number the domain's ends are the neighbours.
                let alone = means.first().map_or(width, |mean| (mean - low).max(high - mean));
                gaps(&means, alone)
            }
        };
        let narrowest = width / (seen.len() as f64 + 2.0).min(100.0);
        let widths = gaps.into_iter().take(means.len()).map(|gap| gap.clamp(narrowest, width));
        let normals: Vec<Normal> = means
            .iter()
            .copied()
            .zip(widths)
            .chain([(middle, width)])
            .map(|(mean, width)| Normal::new(mean, width).expect("a domain is wider than nothing"))
            .collect();
        let inside = |normal: &Normal| normal.cdf(high) - normal.cdf(low);
        let all: f64 = weights.iter().sum();
        let accepted: f64 = normals.iter().zip(weights).map(|(n, w)| w / all * inside(n)).sum();
        let kernels = normals.into_iter().zip(weights).map(|(normal, weight)| {
            let inside = inside(&normal);
            let cut = if style == Style::Nni { accepted } else { inside };
            let weight = weight / all / cut;
            Kernel { normal, weight, chance: weight * inside }
        });
        Self { domain: domain.clone(), low, high, half, kernels: kernels.collect(), log }
    }

    /// The logarithm of the density, or of the chance where a number stands for all around it.
    pub fn log_density(&self, number: f64) -> f64 {
        let scale = |number: f64| if self.log { number.ln() } else { number };
        let densities = self.kernels.iter().map(|Kernel { normal, weight, .. }| {
            weight
                * match self.half {
                    Some(half) => {
                        normal.cdf(scale(number + half)) - normal.cdf(scale(number - half))
                    }
                    None => normal.pdf(scale(number)),
                }
        });
        densities.sum::<f64>().max(f64::MIN_POSITIVE).ln()
    }

    /// A number by two numbers in [0, 1): which kernel, and where in it. Optuna draws what the domain has;
    /// NNI compares what it draws, and rounds what it takes.
    pub fn draw(&self, which: f64, place: f64) -> f64 {
        let mut left = which;
        let chosen = self.kernels.iter().find(|kernel| {
            left -= kernel.chance;
            left < 0.0
        });
        let normal = &chosen.unwrap_or(&self.kernels[self.kernels.len() - 1]).normal;
        let (from, to) = (normal.cdf(self.low), normal.cdf(self.high));
        let at = normal.inverse_cdf(from + place * (to - from)).clamp(self.low, self.high);
        let number = if self.log { at.exp() } else { at };
        if self.half.is_some() { self.domain.snap(number) } else { number }
    }
}

/// The larger distance of each number to a neighbour, `alone` of one that has none.
fn gaps(numbers: &[f64], alone: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut found = vec![alone; numbers.len()];
    for (place, &own) in order.iter().enumerate() {
        let before = place.checked_sub(1).map(|p| numbers[own] - numbers[order[p]]);
        let after = order.get(place + 1).map(|&next| numbers[next] - numbers[own]);
        if let Some(gap) = before.into_iter().chain(after).reduce(f64::max) {
            found[own] = gap;
        }
    }
    found
}
