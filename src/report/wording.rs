//! Numbers and words of every format.

use crate::dataset::Split;

/// Stands for a missing number.
pub(super) const NOTHING: &str = "–";

/// Mark of a row whose weights were selected on the test split.
pub(super) const TEST_SELECTED: &str = "†";

/// `s` unless there is exactly one.
pub fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A split, for people.
pub(super) fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "training",
        Split::Validation => "validation",
        Split::Scoring => "scoring",
        Split::Test => "test",
    }
}

/// `2487850` as `2,487,850`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (2_487_850, "2,487,850")] {
            assert_eq!(super::thousands(number), text);
        }
    }
}
