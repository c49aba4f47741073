//! Which dimensions of a search mattered.

use super::{Point, Space};
use crate::rng::{Purpose, Stream};

/// Trees of a forest.
const TREES: usize = 64;

/// Points that a leaf holds at least.
const LEAF: usize = 2;

/// Deepest leaf.
const DEEPEST: usize = 12;

/// A leaf: the box that it covers, and the mean score in it.
struct Leaf {
    bounds: Vec<[f64; 2]>,
    mean: f64,
}

/// The share of the scores' variance that each dimension explains by itself: functional ANOVA over a forest
/// of regression trees (Hutter et al. 2014, "An efficient approach for assessing hyperparameter
/// importance"). What they explain only together is in no share, so that they add up to 1 at most; all are
/// 0 where the scores do not vary. Choices are cut like numbers, in the order of their values.
///
/// # Panics
/// If there are not as many scores as points.
pub fn importance(space: &Space, points: &[&Point], scores: &[f64]) -> Vec<f64> {
    assert_eq!(points.len(), scores.len(), "a score for each point");
    let dimensions = space.dimensions.len();
    let units: Vec<Vec<f64>> = points
        .iter()
        .map(|point| {
            let all = space.dimensions.iter().zip(point.iter());
            all.map(|(d, at)| d.domain.unit(at).unwrap_or(0.5)).collect()
        })
        .collect();
    let mut shares = vec![0.0; dimensions];
    let mut counted = 0.0;
    for tree in 0..TREES {
        let mut stream = Stream::new(0, Purpose::Importance, 0, tree as u64);
        let drawn: Vec<usize> =
            points.iter().map(|_| stream.below(points.len() as u64) as usize).collect();
        let mut leaves = Vec::new();
        grow(&units, scores, drawn, vec![[0.0, 1.0]; dimensions], DEEPEST, &mut leaves);
        let volume = |leaf: &Leaf| leaf.bounds.iter().map(|[a, b]| b - a).product::<f64>();
        let mean: f64 = leaves.iter().map(|leaf| volume(leaf) * leaf.mean).sum();
        let all: f64 = leaves.iter().map(|leaf| volume(leaf) * (leaf.mean - mean).powi(2)).sum();
        if all <= f64::EPSILON * mean.abs() {
            continue;
        }
        counted += 1.0;
        for (dimension, share) in shares.iter_mut().enumerate() {
            *share += alone(&leaves, dimension, mean) / all;
        }
    }
    shares.iter().map(|share| if counted > 0.0 { share / counted } else { 0.0 }).collect()
}

/// The variance of the mean over all other dimensions.
fn alone(leaves: &[Leaf], dimension: usize, mean: f64) -> f64 {
    let mut cuts: Vec<f64> = leaves.iter().flat_map(|leaf| leaf.bounds[dimension]).collect();
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let pieces = cuts.windows(2).map(|piece| {
        let (from, to) = (piece[0], piece[1]);
        let covering = leaves.iter().filter(|leaf| {
            let [low, high] = leaf.bounds[dimension];
            low <= from && to <= high
        });
        let marginal: f64 = covering
            .map(|leaf| {
                let others =
                    leaf.bounds.iter().enumerate().filter(|(other, _)| *other != dimension);
                others.map(|(_, [a, b])| b - a).product::<f64>() * leaf.mean
            })
            .sum();
        (to - from) * (marginal - mean).powi(2)
    });
    pieces.sum()
}

/// Splits where the squared error falls most, until leaves are small.
fn grow(
    units: &[Vec<f64>],
    scores: &[f64],
    members: Vec<usize>,
    bounds: Vec<[f64; 2]>,
    deepest: usize,
    leaves: &mut Vec<Leaf>,
) {
    let best = if deepest == 0 { None } else { best_cut(units, scores, &members, bounds.len()) };
    let Some((dimension, cut)) = best else {
        let mean = members.iter().map(|&i| scores[i]).sum::<f64>() / members.len().max(1) as f64;
        leaves.push(Leaf { bounds, mean });
        return;
    };
    let (below, above) = members.iter().partition(|&&member| units[member][dimension] < cut);
    for (members, side) in [(below, 1), (above, 0)] {
        let mut inner = bounds.clone();
        inner[dimension][side] = cut;
        grow(units, scores, members, inner, deepest - 1, leaves);
    }
}

/// The dimension and place of the best cut; none where no cut makes anything better.
fn best_cut(
    units: &[Vec<f64>],
    scores: &[f64],
    members: &[usize],
    dimensions: usize,
) -> Option<(usize, f64)> {
    let cuts = (0..dimensions).filter_map(|dimension| {
        let of = |point: usize| (units[point][dimension], scores[point]);
        let (gain, cut) = best_of(members.iter().map(|&point| of(point)).collect())?;
        Some((gain, dimension, cut))
    });
    // Of equal ones the first.
    let best = cuts.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, dimension, cut)| (dimension, cut))
}

/// What the squared error of these places and scores falls by at most, and the cut that does it.
fn best_of(mut points: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = points.iter().map(|(_, score)| score).sum();
    let own = total * total / points.len() as f64;
    let (mut sum, mut best) = (0.0, None);
    for (place, pair) in points.windows(2).enumerate() {
        let [(from, score), (to, _)] = [pair[0], pair[1]];
        sum += score;
        let (left, right) = (place + 1, points.len() - place - 1);
        if from == to || left < LEAF || right < LEAF {
            continue;
        }
        // But for a term that all cuts share.
        let rest = total - sum;
        let gain = sum * sum / left as f64 + rest * rest / right as f64 - own;
        if gain > 1e-12 * own.abs() && best.is_none_or(|(most, _)| gain > most) {
            best = Some((gain, f64::midpoint(from, to)));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Coordinate, Dimension, Domain};

    fn shares(score: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let unit = Domain::Number { low: 0.0, high: 1.0, log: false, step: None, integer: false };
        let dimension = Dimension { domain: unit, when: None };
        let space = Space { dimensions: vec![dimension.clone(), dimension] };
        let mut stream = Stream::new(1, Purpose::Trial, 0, 0);
        let mut number = || f64::from(stream.uniform());
        let points: Vec<Point> = (0..100)
            .map(|_| vec![Coordinate::Number(number()), Coordinate::Number(number())])
            .collect();
        let value = |at: &Coordinate| if let Coordinate::Number(x) = at { *x } else { f64::NAN };
        let scores: Vec<f64> = points.iter().map(|p| score(value(&p[0]), value(&p[1]))).collect();
        importance(&space, &points.iter().collect::<Vec<_>>(), &scores)
    }

    #[test]
    fn what_matters_is_found() {
        let alone = shares(|x, _| (3.0 * x).sin());
        assert!(alone[0] > 0.9 && alone[1] < 0.05, "{alone:?}");
        // Variances of 1 and 4 twelfths.
        let both = shares(|x, y| x + 2.0 * y);
        assert!((both[0] - 0.2).abs() < 0.08 && (both[1] - 0.8).abs() < 0.1, "{both:?}");
        assert_eq!(shares(|_, _| 0.5), [0.0, 0.0]);
    }
}
