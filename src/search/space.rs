//! Where a search looks: dimensions, and points in them.

/// What one dimension may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// One of so many values, by index.
    Choice(usize),
    /// A number.
    Number {
        /// Least.
        low: f64,
        /// Greatest.
        high: f64,
        /// Whether it is the logarithm that is uniform.
        log: bool,
        /// Distance of the numbers that it may be, from `low` on.
        step: Option<f64>,
        /// Whether it is whole.
        integer: bool,
    },
}

/// A dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// What it may be.
    pub domain: Domain,
    /// It is there only where an earlier choice, by its place, has one of these indices.
    pub when: Option<(usize, Vec<usize>)>,
}

/// All dimensions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// Conditions look back.
    pub dimensions: Vec<Dimension>,
}

/// Where a point lies in one dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coordinate {
    /// Index of the value.
    Choice(usize),
    /// The number.
    Number(f64),
    /// Its condition does not hold.
    Absent,
}

/// A coordinate for each dimension.
pub type Point = Vec<Coordinate>;

impl Space {
    /// Whether a dimension is there, by the coordinates before it.
    pub fn is_active(&self, dimension: usize, before: &[Coordinate]) -> bool {
        self.dimensions[dimension].when.as_ref().is_none_or(|(place, indices)| {
            matches!(before.get(*place), Some(Coordinate::Choice(index)) if indices.contains(index))
        })
    }

    /// A point, dimension by dimension; those that are not there stay absent.
    pub fn point(&self, mut draw: impl FnMut(usize) -> Coordinate) -> Point {
        let mut point = Point::with_capacity(self.dimensions.len());
        for dimension in 0..self.dimensions.len() {
            let active = self.is_active(dimension, &point);
            // It is drawn all the same, so that a condition moves no other dimension.
            let drawn = draw(dimension);
            point.push(if active { drawn } else { Coordinate::Absent });
        }
        point
    }
}

impl Domain {
    /// The coordinate at a number in [0, 1), uniformly.
    pub fn at(&self, unit: f64) -> Coordinate {
        match *self {
            Self::Choice(count) => {
                Coordinate::Choice(((unit * count as f64) as usize).min(count - 1))
            }
            Self::Number { step: Some(step), low, high, .. } => {
                // Each number of the grid alike.
                let count = ((high - low) / step + 1e-9).floor() + 1.0;
                Coordinate::Number(self.snap(low + step * (unit * count).floor()))
            }
            Self::Number { low, high, log: true, .. } => {
                let (low, high) = (low.ln(), high.ln());
                Coordinate::Number(self.snap((low + unit * (high - low)).exp()))
            }
            Self::Number { low, high, integer: true, .. } => {
                Coordinate::Number(self.snap((low + unit * (high - low + 1.0)).floor()))
            }
            Self::Number { low, high, .. } => {
                Coordinate::Number(self.snap(low + unit * (high - low)))
            }
        }
    }

    /// The nearest number that it may be, as people would write it: `0.05 + 2 · 0.05` is 0.15.
    pub fn snap(&self, number: f64) -> f64 {
        let Self::Number { low, high, step, integer, .. } = *self else { return number };
        let inside = number.clamp(low, high);
        let stepped = match step {
            Some(step) => {
                let last = ((high - low) / step + 1e-9).floor();
                low + ((inside - low) / step).round().min(last) * step
            }
            None => inside,
        };
        let rounded = match step {
            _ if integer => stepped.round(),
            // What differs beyond is noise of the arithmetic, and would be another key.
            Some(_) => digits(stepped, 12),
            None => digits(stepped, DIGITS),
        };
        // Some digits of a bound may lie beyond it.
        rounded.clamp(low, high)
    }

    /// All that it may be; `None` of numbers without a step.
    pub fn grid(&self) -> Option<Vec<Coordinate>> {
        match *self {
            Self::Choice(count) => Some((0..count).map(Coordinate::Choice).collect()),
            Self::Number { low, high, step: Some(step), .. } => {
                let count = ((high - low) / step + 1e-9).floor() as usize;
                let at = |place: usize| self.snap(low + step * place as f64);
                Some((0..=count).map(|place| Coordinate::Number(at(place))).collect())
            }
            Self::Number { low, high, integer: true, .. } => {
                let numbers = low.ceil() as i64..=high.floor() as i64;
                Some(numbers.map(|number| Coordinate::Number(number as f64)).collect())
            }
            Self::Number { .. } => None,
        }
    }

    /// A coordinate as a number in [0, 1], for what looks at distances; `None` where it is absent.
    pub fn unit(&self, coordinate: &Coordinate) -> Option<f64> {
        match (self, coordinate) {
            (Self::Choice(count), Coordinate::Choice(index)) => {
                Some((*index as f64 + 0.5) / *count as f64)
            }
            (Self::Number { low, high, log, .. }, Coordinate::Number(number)) => Some(match log {
                true => (number.ln() - low.ln()) / (high.ln() - low.ln()),
                false => (number - low) / (high - low),
            }),
            _ => None,
        }
    }
}

/// Significant digits of a number without a step: no search tells more apart, and people copy values.
const DIGITS: usize = 4;

/// A number with so many significant digits.
fn digits(number: f64, count: usize) -> f64 {
    format!("{number:.*e}", count - 1).parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_numbers_that_people_write() {
        let domain =
            Domain::Number { low: 0.05, high: 1.0, log: false, step: Some(0.05), integer: false };
        let grid = domain.grid().unwrap();
        assert_eq!(grid.len(), 20);
        assert_eq!((grid[2], grid[19]), (Coordinate::Number(0.15), Coordinate::Number(1.0)));
        assert_eq!(domain.at(0.0), Coordinate::Number(0.05));
        assert_eq!(domain.at(0.9999), Coordinate::Number(1.0));
        assert_eq!(domain.snap(0.31), 0.3);
    }

    #[test]
    fn logarithms_are_uniform() {
        let domain =
            Domain::Number { low: 1e-4, high: 1e-2, log: true, step: None, integer: false };
        assert_eq!(domain.at(0.5), Coordinate::Number(1e-3));
        assert_eq!(domain.at(0.3), Coordinate::Number(3.981e-4), "four digits");
        assert!((domain.unit(&Coordinate::Number(1e-3)).unwrap() - 0.5).abs() < 1e-12);
        let whole = Domain::Number { low: 1.0, high: 8.0, log: true, step: None, integer: true };
        assert_eq!(whole.at(0.9999), Coordinate::Number(8.0));
        assert_eq!(whole.grid().map(|grid| grid.len()), Some(8));
    }
}
