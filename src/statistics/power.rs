//! How many seeds show a difference.

use super::Spread;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Chance that a difference which is there is seen.
const POWER: f64 = 0.8;

/// Chance that one which is not there is.
const LEVEL: f64 = 0.05;

/// More seeds than anybody trains.
const MOST: usize = 100_000;

/// About how many seeds a paired t-test needs, two-sided at 5 %, to see a mean difference of `wanted` with a
/// power of 80 %, if differences spread as these do: the least n with n ≥ ((t₀.₉₇₅ + t₀.₈) · s / wanted)², the
/// quantiles of n − 1 degrees of freedom (Lachin 1981, "Introduction to sample size determination and power
/// analysis for clinical trials"). `None` where one difference gives no spread, or nothing is wanted.
pub fn seeds_for(differences: &[f64], wanted: f64) -> Option<usize> {
    let std = Spread::of(differences)?.std.filter(|std| *std > 0.0)?;
    if wanted == 0.0 || !wanted.is_finite() {
        return None;
    }
    let enough = |n: usize| {
        let student = StudentsT::new(0.0, 1.0, (n - 1) as f64)
            .expect("at least one degree of freedom, and scale 1");
        let reach = student.inverse_cdf(1.0 - LEVEL / 2.0) + student.inverse_cdf(POWER);
        n as f64 >= (reach * std / wanted).powi(2)
    };
    // What is enough for n is enough for more.
    let (mut low, mut high) = (1, 2);
    while high < MOST && !enough(high) {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::seeds_for;

    /// A spread of 1: R's `power.t.test(delta = 1, sd = 1, type = "paired", power = 0.8)` gives 9.94, for a
    /// half 33.37; the formula by central quantiles comes within one of it.
    #[test]
    fn seeds_are_those_of_tables() {
        let differences = [-1.0, 0.0, 1.0];
        let near = |wanted, of: usize| seeds_for(&differences, wanted).unwrap().abs_diff(of) <= 1;
        assert!(near(1.0, 10) && near(0.5, 34), "{:?}", seeds_for(&differences, 0.5));
        assert_eq!(seeds_for(&[1.0], 1.0), None);
        assert_eq!(seeds_for(&differences, 0.0), None);
        assert_eq!(seeds_for(&[1.0, 1.0], 1.0), None);
    }
}
