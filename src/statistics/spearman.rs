//! Spearman's rank correlation.

use super::Spread;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Of fewer pairs a rank correlation says nothing: two always give ±1.
const LEAST: usize = 3;
/// Of fewer pairs no p-value is given: the approximation is rough, and 6 pairs reach 5 % by ±0.89 alone.
const LEAST_FOR_P: usize = 8;

/// How two numbers rise together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spearman {
    /// Pearson's correlation of the ranks, the mean one of ties; nothing of too few pairs, or where one
    /// side is all alike.
    pub rho: Option<f64>,
    /// Two-sided probability of one this far from 0 or further, if there were no relation: Student's t
    /// with n − 2 degrees of freedom (Kendall & Stuart 1973, 31.19), which holds roughly from ten pairs on.
    pub p: Option<f64>,
}

impl Spearman {
    /// Of pairs.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let n = pairs.len();
        let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let rho = pearson(&ranks(&xs), &ranks(&ys)).filter(|_| n >= LEAST);
        let p = rho.filter(|_| n >= LEAST_FOR_P).map(|rho| {
            let freedom = (n - 2) as f64;
            let rest = 1.0 - rho * rho;
            if rest <= 0.0 {
                return 0.0;
            }
            let student = StudentsT::new(0.0, 1.0, freedom)
                .expect("at least one degree of freedom, and scale 1");
            2.0 * student.cdf(-(rho * (freedom / rest).sqrt()).abs())
        });
        Self { rho, p }
    }

    /// Why there is no p-value, or its words.
    pub fn p_in_words(self) -> String {
        match self.p {
            None => format!("no p-value under {LEAST_FOR_P}"),
            Some(p) if p < 0.001 => "p < 0.001 (two-sided, t approximation)".to_owned(),
            Some(p) => format!("p = {p:.3} (two-sided, t approximation)"),
        }
    }
}

/// From 1 on; equal values get the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let alike = values.iter().filter(|other| *other == value).count() as f64;
        below + (alike + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mean_a, mean_b) = (Spread::of(a)?.mean, Spread::of(b)?.mean);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    let scale = (aa * bb).sqrt();
    (scale > 0.0).then(|| (ab / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(xs: &[f64], ys: &[f64]) -> Spearman {
        Spearman::of(&xs.iter().copied().zip(ys.iter().copied()).collect::<Vec<_>>())
    }

    /// `scipy.stats.spearmanr`'s own example, with a tie.
    #[test]
    fn ties_get_their_mean_rank() {
        let found = of(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]);
        assert!((found.rho.unwrap() - 0.820_782_681_668_123_3).abs() < 1e-12);
        assert_eq!((found.p, ranks(&[3.0, 1.0, 3.0])), (None, vec![2.5, 1.0, 2.5]));
    }

    /// The IQs and hours of television of Wikipedia's example: ρ = −29/165, p = 0.627188 by t.
    #[test]
    fn ten_pairs_have_a_p_value() {
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        let found = of(&iq, &hours);
        assert!((found.rho.unwrap() + 29.0 / 165.0).abs() < 1e-12);
        assert!((found.p.unwrap() - 0.627_188).abs() < 1e-5, "{found:?}");
        // A monotone relation, however it bends, is ±1.
        let bent = iq.map(|x: f64| -x.powi(3));
        assert_eq!(of(&iq, &bent), Spearman { rho: Some(-1.0), p: Some(0.0) });
    }

    #[test]
    fn what_has_no_order_has_no_correlation() {
        for (xs, ys) in [(&[][..], &[][..]), (&[1.0, 2.0], &[2.0, 1.0]), (&[1.0; 9], &[2.0; 9])] {
            assert_eq!(of(xs, ys), Spearman { rho: None, p: None });
        }
        assert!(of(&[1.0; 9], &[2.0; 9]).p_in_words().contains("no p-value under 8"));
    }
}
