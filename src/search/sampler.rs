//! How the points of a search are drawn.

use super::{Coordinate, Point, Space, tpe::Tpe};

/// A way to draw points.
#[derive(Clone, Debug, PartialEq)]
pub enum Sampler {
    /// Every combination, the last dimension fastest.
    Grid,
    /// Each dimension by itself, uniformly.
    Random,
    /// Points that fill the space evenly: Sobol's sequence with the scrambling of Owen (Burley 2020,
    /// "Practical hash-based Owen scrambling").
    Sobol,
    /// Where good trials were dense.
    Tpe(Tpe),
}

impl Sampler {
    /// The point of trial `index`, after the trials of `history` with their losses; lower is better.
    /// `None` where there is no further one. `seed` and `uniform`, numbers in [0, 1), decide what is left
    /// to chance.
    pub fn propose(
        &self,
        space: &Space,
        index: usize,
        history: &[(Point, f64)],
        seed: u64,
        uniform: &mut dyn FnMut() -> f64,
    ) -> Option<Point> {
        match self {
            Self::Grid => grid_point(space, index),
            Self::Random => Some(space.point(|d| space.dimensions[d].domain.at(uniform()))),
            Self::Sobol => Some(space.point(|d| {
                let seed = (seed ^ seed >> 32) as u32;
                let (dimension, index) = (d as u32 % MOST_DIMENSIONS, index as u32 % MOST_POINTS);
                let unit = sobol_burley::sample(index, dimension, seed);
                space.dimensions[d].domain.at(f64::from(unit))
            })),
            Self::Tpe(tpe) => Some(tpe.propose(space, history, uniform)),
        }
    }
}

/// What sobol_burley has: dimensions, and points of a sequence.
const MOST_DIMENSIONS: u32 = 256;
const MOST_POINTS: u32 = 1 << 16;

/// Point `index` among those that differ: where a dimension is absent it does not count.
fn grid_point(space: &Space, index: usize) -> Option<Point> {
    let mut rest = index;
    let mut point = Point::new();
    while point.len() < space.dimensions.len() {
        let place = point.len();
        if !space.is_active(place, &point) {
            point.push(Coordinate::Absent);
            continue;
        }
        let mut found = None;
        for coordinate in space.dimensions[place].domain.grid()? {
            point.push(coordinate);
            let below = count(space, &mut point);
            point.pop();
            if rest < below {
                found = Some(coordinate);
                break;
            }
            rest -= below;
        }
        point.push(found?);
    }
    (rest == 0).then_some(point)
}

/// How many points begin with `point`.
fn count(space: &Space, point: &mut Point) -> usize {
    let place = point.len();
    if place == space.dimensions.len() {
        return 1;
    }
    let later = place + 1..space.dimensions.len();
    let decides = |other: usize| {
        space.dimensions[other].when.as_ref().is_some_and(|(decider, _)| *decider == place)
    };
    let values = match space.is_active(place, point) {
        true => space.dimensions[place].domain.grid().unwrap_or_default(),
        false => vec![Coordinate::Absent],
    };
    // Where nothing depends on it, all its values have as many points behind them.
    let each = if later.clone().any(decides) { values.len() } else { values.len().min(1) };
    let behind: Vec<usize> = values[..each]
        .iter()
        .map(|&value| {
            point.push(value);
            let below = count(space, point);
            point.pop();
            below
        })
        .collect();
    match behind.as_slice() {
        [one] if each < values.len() => one.saturating_mul(values.len()),
        all => all.iter().fold(0, |sum: usize, count| sum.saturating_add(*count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Dimension, Domain};

    fn choice(count: usize, when: Option<(usize, Vec<usize>)>) -> Dimension {
        Dimension { domain: Domain::Choice(count), when }
    }

    fn all(space: &Space, sampler: &Sampler) -> Vec<Point> {
        let mut uniform = || 0.5;
        (0..).map_while(|index| sampler.propose(space, index, &[], 0, &mut uniform)).collect()
    }

    #[test]
    fn a_grid_has_each_combination_once_and_conditions_leave_out() {
        use Coordinate::{Absent, Choice};
        let space = Space { dimensions: vec![choice(2, None), choice(3, Some((0, vec![1])))] };
        let points = all(&space, &Sampler::Grid);
        let want = [
            vec![Choice(0), Absent],
            vec![Choice(1), Choice(0)],
            vec![Choice(1), Choice(1)],
            vec![Choice(1), Choice(2)],
        ];
        assert_eq!(points, want);
        let step =
            Domain::Number { low: 0.05, high: 1.0, log: false, step: Some(0.05), integer: false };
        let paper =
            Space { dimensions: vec![Dimension { domain: step, when: None }, choice(6, None)] };
        assert_eq!(all(&paper, &Sampler::Grid).len(), 120, "the paper's trials");
    }

    #[test]
    fn sobol_fills_evenly() {
        let unit = Domain::Number { low: 0.0, high: 1.0, log: false, step: None, integer: false };
        let dimension = Dimension { domain: unit, when: None };
        let space = Space { dimensions: vec![dimension.clone(), dimension] };
        let mut cells = [0; 16];
        for index in 0..16 {
            let point = Sampler::Sobol.propose(&space, index, &[], 7, &mut || 0.0).unwrap();
            let [Coordinate::Number(x), Coordinate::Number(y)] = point[..] else { panic!() };
            cells[(x * 4.0) as usize * 4 + (y * 4.0) as usize] += 1;
        }
        assert_eq!(cells, [1; 16], "one point in each of 4 by 4 cells");
    }
}
