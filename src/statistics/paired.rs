//! The paired t-test: two networks that were trained with the same seeds.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Confidence of an interval.
const CONFIDENCE: f64 = 0.95;

/// A difference over common seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Mean of the differences.
    pub mean: f64,
    /// How many seeds.
    pub n: usize,
    /// Sample standard deviation of the differences; nothing of one.
    pub std: Option<f64>,
    /// What can be said of it.
    pub evidence: Evidence,
}

/// What seeds can tell of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// One seed has no spread, so there is no interval.
    OneSeed,
    /// Every seed gives the same difference, as results that are counted in images may; a spread of
    /// zero would make an interval without width, which a few seeds cannot justify.
    NoSpread,
    /// Student's t on the differences ("Student" 1908, The probable error of a mean, Biometrika 6).
    Interval {
        /// Lower end of the 95 % interval.
        low: f64,
        /// Upper end.
        high: f64,
        /// Two-sided probability of a mean this far from 0 or further, if there were no difference.
        p: f64,
    },
}

impl Paired {
    /// Of one difference a seed; nothing if there is none.
    pub fn of(differences: &[f64]) -> Option<Self> {
        let spread = crate::statistics::Spread::of(differences)?;
        let (mean, n) = (spread.mean, spread.n);
        let evidence = match spread.std {
            None => Evidence::OneSeed,
            // Differences of equal shares of images may differ in their last digits.
            Some(std) if std <= 1e-9 * mean.abs().max(1.0) => Evidence::NoSpread,
            Some(std) => {
                let error = std / (n as f64).sqrt();
                let student = StudentsT::new(0.0, 1.0, (n - 1) as f64)
                    .expect("at least one degree of freedom, and scale 1");
                let reach = student.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error;
                let p = 2.0 * student.cdf(-(mean / error).abs());
                Evidence::Interval { low: mean - reach, high: mean + reach, p }
            }
        };
        Some(Self { mean, n, std: spread.std, evidence })
    }

    /// Whether the interval lies on one side of 0; never without an interval.
    pub fn is_shown(&self) -> bool {
        matches!(self.evidence, Evidence::Interval { low, high, .. } if low > 0.0 || high < 0.0)
    }

    /// In words, with `unit` after the mean.
    pub fn sentence(&self, unit: &str) -> String {
        let n = self.n;
        let mean = signed(self.mean);
        match self.evidence {
            Evidence::OneSeed => format!("{mean}{unit} with one common seed: no interval"),
            Evidence::NoSpread => {
                format!("{mean}{unit} with each of {n} seeds: without spread there is no interval")
            }
            Evidence::Interval { low, high, .. } => {
                let verdict = match (low > 0.0, high < 0.0) {
                    (true, _) => "higher",
                    (_, true) => "lower",
                    _ => "it includes 0: not significant",
                };
                let (low, high) = (signed(low), signed(high));
                format!("{mean}{unit}, 95 % interval [{low}, {high}] over {n} seeds: {verdict}")
            }
        }
    }
}

/// Two digits after the point, with a sign; what rounds to zero has none.
pub fn signed(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    if rounded == 0.0 { "0.00".to_owned() } else { format!("{rounded:+.2}").replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With 2 degrees of freedom both are closed: the distribution is 1/2 + t / (2·√(2 + t²)), its
    /// 97.5 % quantile 4.302653; t is 3.84308 here.
    #[test]
    fn the_interval_is_students() {
        let paired = Paired::of(&[0.4, 1.1, 0.9]).unwrap();
        let Evidence::Interval { low, high, p } = paired.evidence else { panic!("{paired:?}") };
        assert!((p - 0.0615257).abs() < 1e-5, "{p}");
        assert!((low - (0.8 - 0.8956686)).abs() < 1e-5 && (high - (0.8 + 0.8956686)).abs() < 1e-5);
        assert!(!paired.is_shown());
        let told = paired.sentence(" points");
        assert!(told.ends_with("it includes 0: not significant"), "{told}");
    }

    #[test]
    fn nothing_is_called_higher_without_an_interval() {
        for differences in [&[2.5][..], &[1.0, 1.0], &[0.1 + 0.2, 0.3]] {
            let paired = Paired::of(differences).unwrap();
            assert!(!paired.is_shown());
            assert!(paired.sentence("").contains("no interval"), "{}", paired.sentence(""));
        }
        assert_eq!(Paired::of(&[]), None);
        let paired = Paired::of(&[1.0, 1.1, 1.2]).unwrap();
        assert!(paired.is_shown() && paired.sentence("").ends_with("higher"));
        assert!(Paired::of(&[-1.0, -1.1, -1.2]).unwrap().sentence("").ends_with("lower"));
        assert_eq!((signed(-0.004), signed(-0.3)), ("0.00".to_owned(), "−0.30".to_owned()));
    }
}
