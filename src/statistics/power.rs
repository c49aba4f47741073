//! How many seeds would show a difference.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Probability of seeing it, if it is there.
const POWER: f64 = 0.8;
/// Probability of seeing one where there is none, on both sides together.
const ALPHA: f64 = 0.05;
/// More are not counted.
const MOST: usize = 100_000;

/// The least number of seeds with which a paired t-test of 5 % shows a mean of `difference` in four of five
/// cases, if the differences of seeds deviate by `std`; nothing if that takes over 100,000.
///
/// n ≥ (t(1 − α/2) + t(power))² · std² / difference², its quantiles with n − 1 degrees of freedom, by trying
/// one n after another (Zar 2010, Biostatistical analysis, chapters 7 and 9).
pub fn seeds_to_see(std: f64, difference: f64) -> Option<usize> {
    let ratio = (std / difference).powi(2);
    let needs = |n: usize| {
        let student = StudentsT::new(0.0, 1.0, (n - 1) as f64)
            .expect("at least one degree of freedom, and scale 1");
        let quantiles = student.inverse_cdf(1.0 - ALPHA / 2.0) + student.inverse_cdf(POWER);
        quantiles.powi(2) * ratio
    };
    // The quantiles fall towards those of the normal distribution, whose sum is 2.8016.
    let normal = 2.8015f64.powi(2) * ratio;
    let first = if normal <= MOST as f64 { (normal as usize).max(2) } else { return None };
    (first..=MOST).find(|&n| n as f64 >= needs(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R's `power.t.test(delta, sd, power = 0.8, type = "paired")` gives n 33.37 where the deviation is
    /// twice the difference, and 9.94 where they are equal.
    #[test]
    fn numbers_are_those_of_r() {
        let half = |std| seeds_to_see(std, 0.5);
        assert_eq!((half(1.0), half(0.5)), (Some(34), Some(10)));
        assert_eq!((half(0.0), half(1e-3)), (Some(2), Some(2)));
        assert_eq!((half(1e4), seeds_to_see(1.0, 0.0)), (None, None));
        let many = [0.3, 0.6, 1.2, 2.4, 9.6].map(|std| half(std).unwrap());
        assert!(many.is_sorted() && many[4] > 2800, "{many:?}");
    }
}
