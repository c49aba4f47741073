//! Decisions at a rung, over scores of which higher is better.

/// The best `keep` of them go on, at least one; of equal ones the earlier. A `None` has failed.
pub fn halving(scores: &[Option<f64>], keep: f64) -> Vec<bool> {
    let mut order: Vec<usize> =
        (0..scores.len()).filter(|&place| scores[place].is_some()).collect();
    order.sort_by(|&a, &b| {
        let score = |place: usize| scores[place].unwrap_or(f64::NEG_INFINITY);
        score(b).total_cmp(&score(a))
    });
    // Shares such as 1/3 must not keep one more for their last bit.
    let kept = ((scores.len() as f64 * keep - 1e-9).ceil() as usize).max(1);
    let mut goes_on = vec![false; scores.len()];
    order.into_iter().take(kept).for_each(|place| goes_on[place] = true);
    goes_on
}

/// Those that are not below the median of all scores at this rung, `before` among them; all go on while
/// there are fewer than `at_least`.
pub fn median(scores: &[Option<f64>], before: &[f64], at_least: usize) -> Vec<bool> {
    let mut all: Vec<f64> = scores.iter().flatten().chain(before).copied().collect();
    if all.len() < at_least || all.is_empty() {
        return scores.iter().map(Option::is_some).collect();
    }
    all.sort_by(f64::total_cmp);
    let middle = all.len() / 2;
    let median = match all.len() % 2 {
        1 => all[middle],
        _ => (all[middle - 1] + all[middle]) / 2.0,
    };
    scores.iter().map(|score| score.is_some_and(|score| score >= median)).collect()
}

/// Whether a trial with these scores, one for each rung so far, has been best within its last `rungs`.
pub fn patience(scores: &[f64], rungs: usize) -> bool {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let first = scores.iter().position(|&score| score == best);
    first.is_none_or(|first| scores.len() - 1 - first < rungs.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_half_goes_on() {
        let scores = [Some(0.5), None, Some(0.7), Some(0.7), Some(0.1)];
        assert_eq!(halving(&scores, 0.5), [true, false, true, true, false]);
        assert_eq!(halving(&scores, 0.4), [false, false, true, true, false]);
        assert_eq!(halving(&scores, 0.01), [false, false, true, false, false]);
        assert_eq!(halving(&[Some(1.0); 3], 1.0 / 3.0), [true, false, false]);
    }

    #[test]
    fn what_is_below_the_median_stops() {
        let scores = [Some(0.5), Some(0.7), None];
        assert_eq!(median(&scores, &[0.6], 4), [true, true, false]);
        assert_eq!(median(&scores, &[0.6], 3), [false, true, false]);
        assert_eq!(median(&scores, &[0.5, 0.5], 3), [true, true, false]);
    }

    #[test]
    fn patience_ends() {
        assert!(patience(&[0.5], 1) && patience(&[0.5, 0.6], 1));
        assert!(!patience(&[0.6, 0.5], 1) && patience(&[0.6, 0.5], 2));
        assert!(!patience(&[0.6, 0.6], 1), "an equal score is no better one");
    }
}
