//! The tree-structured Parzen estimator (Bergstra et al. 2011): points where good trials are dense and
//! others are not, each dimension by itself.

mod categorical;
mod parzen;

use super::{Coordinate, Domain, Point, Space};
use categorical::Categorical;
use parzen::Parzen;

/// How many of `n` trials count as good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Good {
    /// min(⌈γ√n⌉, 25), as hyperopt and NNI have it.
    Root(f64),
    /// min(⌈γn⌉, 25), as Optuna has it.
    Share(f64),
}

/// Most trials that count as good.
const MOST_GOOD: usize = 25;

/// Trials that count in full; older ones count less, the oldest of n a n-th (hyperopt's "linear
/// forgetting", which NNI and Optuna share).
const REMEMBERED: usize = 25;

/// How the densities are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// microsoft/nni 3.0, `algorithms/hpo/tpe_tuner.py`.
    Nni,
    /// optuna/optuna 5.0, `samplers/_tpe/parzen_estimator.py`.
    Optuna,
}

/// The estimator's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Tpe {
    /// Trials that are drawn at random before it begins.
    pub startup: usize,
    /// How many trials count as good.
    pub good: Good,
    /// Candidates that are drawn for each dimension.
    pub candidates: usize,
    /// What the prior counts, in trials.
    pub prior_weight: f64,
    /// How the densities are made.
    pub style: Style,
}

impl Tpe {
    /// The defaults of NNI's tuner, which the paper's authors used.
    pub fn nni() -> Self {
        let good = Good::Root(0.25);
        Self { startup: 20, good, candidates: 24, prior_weight: 1.0, style: Style::Nni }
    }

    /// The defaults of Optuna's `TPESampler`.
    pub fn optuna() -> Self {
        let good = Good::Share(0.1);
        Self { startup: 10, good, candidates: 24, prior_weight: 1.0, style: Style::Optuna }
    }

    /// The next point after trials with these losses; lower is better.
    pub fn propose(
        &self,
        space: &Space,
        history: &[(Point, f64)],
        uniform: &mut dyn FnMut() -> f64,
    ) -> Point {
        space.point(|d| {
            // NNI knows of each parameter the trials that had it.
            let trials = match self.style {
                Style::Nni => history.iter().filter(|(at, _)| at[d] != Coordinate::Absent).count(),
                Style::Optuna => history.len(),
            };
            if trials < self.startup {
                return space.dimensions[d].domain.at(uniform());
            }
            let [below, above] = self.seen(d, history);
            match space.dimensions[d].domain {
                Domain::Choice(count) => {
                    let (l, g) = (self.categorical(count, &below), self.categorical(count, &above));
                    let ratio = |index: usize| l.log_p(index) - g.log_p(index);
                    let drawn = (0..self.candidates.max(1)).map(|_| l.draw(uniform()));
                    Coordinate::Choice(first_best(drawn, ratio))
                }
                Domain::Number { .. } => {
                    let domain = &space.dimensions[d].domain;
                    let (l, g) = (self.parzen(domain, &below), self.parzen(domain, &above));
                    let ratio = |number: f64| l.log_density(number) - g.log_density(number);
                    let mut drawn = Vec::with_capacity(self.candidates);
                    for _ in 0..self.candidates.max(1) {
                        drawn.push(l.draw(uniform(), uniform()));
                    }
                    Coordinate::Number(domain.snap(first_best(drawn.into_iter(), ratio)))
                }
            }
        })
    }

    /// log l − log g of coordinates in a dimension: what the candidates are compared by.
    ///
    /// # Panics
    /// If a coordinate is not of the domain's sort.
    pub fn log_ratios(
        &self,
        domain: &Domain,
        dimension: usize,
        history: &[(Point, f64)],
        at: &[Coordinate],
    ) -> Vec<f64> {
        let [below, above] = self.seen(dimension, history);
        let ratio = |at: &Coordinate| match (domain, at) {
            (Domain::Choice(count), Coordinate::Choice(index)) => {
                let [l, g] = [&below, &above].map(|seen| self.categorical(*count, seen));
                l.log_p(*index) - g.log_p(*index)
            }
            (Domain::Number { .. }, Coordinate::Number(number)) => {
                let [l, g] = [&below, &above].map(|seen| self.parzen(domain, seen));
                l.log_density(*number) - g.log_density(*number)
            }
            _ => panic!("{at:?} is not of {domain:?}"),
        };
        at.iter().map(ratio).collect()
    }

    /// A dimension's coordinates in good and in other trials: of equal ones the earlier is better. NNI has
    /// them in the order of their losses, Optuna in that of their numbers; it is the last that are remembered
    /// best. NNI counts the trials that have the dimension, Optuna all.
    fn seen(&self, d: usize, history: &[(Point, f64)]) -> [Vec<Coordinate>; 2] {
        let has = |&trial: &usize| history[trial].0[d] != Coordinate::Absent;
        let mut good: Vec<usize> = (0..history.len()).collect();
        if self.style == Style::Nni {
            good.retain(has);
        }
        good.sort_by(|&a, &b| history[a].1.total_cmp(&history[b].1));
        let n = good.len() as f64;
        let count = match self.good {
            Good::Root(gamma) => (gamma * n.sqrt()).ceil(),
            Good::Share(gamma) => (gamma * n).ceil(),
        };
        let mut others = good.split_off((count as usize).min(MOST_GOOD).min(good.len()));
        if self.style == Style::Optuna {
            good.sort_unstable();
            others.sort_unstable();
        }
        [good, others]
            .map(|group| group.into_iter().filter(has).map(|trial| history[trial].0[d]).collect())
    }

    fn categorical(&self, count: usize, seen: &[Coordinate]) -> Categorical {
        let indices: Vec<usize> = seen
            .iter()
            .filter_map(|at| if let Coordinate::Choice(index) = at { Some(*index) } else { None })
            .collect();
        let weights = weights(indices.len());
        match self.style {
            Style::Nni => Categorical::counts(count, &indices, &weights, self.prior_weight),
            Style::Optuna => Categorical::kernels(count, &indices, &weights, self.prior_weight),
        }
    }

    fn parzen(&self, domain: &Domain, seen: &[Coordinate]) -> Parzen {
        let numbers: Vec<f64> = seen
            .iter()
            .filter_map(|at| if let Coordinate::Number(number) = at { Some(*number) } else { None })
            .collect();
        let weights: Vec<f64> =
            weights(numbers.len()).into_iter().chain([self.prior_weight]).collect();
        Parzen::new(domain, &numbers, &weights, self.style)
    }
}

/// What each of `n` trials counts, the oldest first.
fn weights(n: usize) -> Vec<f64> {
    let ramp = n.saturating_sub(REMEMBERED);
    let step = if ramp > 1 { (1.0 - 1.0 / n as f64) / (ramp - 1) as f64 } else { 0.0 };
    let of_old = (0..ramp).map(|place| 1.0 / n as f64 + step * place as f64);
    of_old.chain(std::iter::repeat_n(1.0, n - ramp)).collect()
}

fn first_best<T: Copy>(candidates: impl Iterator<Item = T>, score: impl Fn(T) -> f64) -> T {
    let scored = candidates.map(|candidate| (candidate, score(candidate)));
    let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.expect("at least one candidate is drawn").0
}

#[cfg(test)]
mod tests;
