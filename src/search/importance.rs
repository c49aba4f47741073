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
    let mut best: Option<(f64, usize, f64)> = None;
    for dimension in 0..dimensions {
        let mut order = members.to_vec();
        order.sort_by(|&a, &b| units[a][dimension].total_cmp(&units[b][dimension]));
        let total: f64 = order.iter().map(|&i| scores[i]).sum();
        let mut sum = 0.0;
        for (place, pair) in order.windows(2).enumerate() {
            sum += scores[pair[0]];
            let (left, right) = (place + 1, order.len() - place - 1);
            let (from, to) = (units[pair[0]][dimension], units[pair[1]][dimension]);
            if from == to || left < LEAF || right < LEAF {
                continue;
            }
            // What the squared error falls by, but for a term that all cuts share.
            let gain = sum * sum / left as f64 + (total - sum) * (total - sum) / right as f64;
            let own = total * total / order.len() as f64;
            let gain = gain - own;
            if gain > 1e-12 * own.abs() && best.is_none_or(|(most, ..)| gain > most) {
                best = Some((gain, dimension, f64::midpoint(from, to)));
            }
        }
    }
    best.map(|(_, dimension, cut)| (dimension, cut))
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
