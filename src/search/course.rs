//! Which trials a search makes, and how far each goes: a function of what earlier trials have scored.
//!
//! Trials come in batches. A batch is drawn from what all batches before it have scored, and nothing
//! else, so that neither the order in which trials end nor the number of jobs changes any. Within a
//! batch all trials train to the first rung, those that go on to the second, and so on.

use super::{Failed, Point, Sampler, Space, Stop};
use crate::rng::{Purpose, Stream};

/// A search for one method.
pub struct Course {
    /// What varies.
    pub space: Space,
    /// How points are drawn.
    pub sampler: Sampler,
    /// Seed of the drawing.
    pub seed: u64,
    /// Most trials.
    pub trials: usize,
    /// Epochs that all trials together may train.
    pub budget: u64,
    /// What of them is spent before the first.
    pub charged: u64,
    /// Trials that are drawn at once.
    pub batch: usize,
    /// Epochs at which trials are compared, ascending; possibly none.
    pub rungs: Vec<usize>,
    /// Which of them go on there.
    pub stop: Stop,
}

/// What a search asks of its surroundings.
pub trait Surroundings {
    /// Epochs that the whole trial at `point` trains, all its networks and seeds together, and those of
    /// them that do not end at a rung.
    fn epochs(&self, point: &Point) -> Cost;

    /// The point of a trial, which `draw` draws if it has not been.
    fn point(&self, trial: usize, draw: &dyn Fn() -> Option<Point>) -> Option<Point>;

    /// The score of the trial at `point` at a level: a rung, or the one after the last rung for its end.
    /// Higher is better.
    fn score(&self, trial: usize, level: usize, point: &Point) -> Option<Result<f64, Failed>>;
}

/// What a trial costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Epochs of its student.
    pub epochs: usize,
    /// With how many seeds.
    pub seeds: usize,
    /// Epochs of what it trains beside, with all seeds.
    pub beside: u64,
}

impl Cost {
    fn until(&self, epoch: usize) -> u64 {
        (epoch.min(self.epochs) * self.seeds) as u64 + self.beside
    }
}

/// A trial as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Where in the space.
    pub point: Point,
    /// How many levels it runs: each rung that it reaches, and its end.
    pub levels: usize,
    /// What the levels that are known have scored.
    pub scores: Vec<f64>,
    /// What became of it.
    pub state: TrialState,
    /// Epochs that it trains, as far as is decided.
    pub epochs: u64,
}

/// What became of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialState {
    /// A level has no score yet.
    Open,
    /// It was stopped at a rung.
    Stopped,
    /// It diverged: it counts as the worst.
    Failed,
    /// It has trained to its end.
    Finished,
}

/// A search as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// In the order of their drawing.
    pub trials: Vec<Trial>,
    /// Whether more is to be known before the search ends.
    pub is_open: bool,
    /// The best of those that finished; of equal ones the first.
    pub best: Option<usize>,
    /// Epochs of all trials, and of what was spent before them.
    pub epochs: u64,
}

impl Course {
    /// What is decided by what is known.
    pub fn standing(&self, around: &dyn Surroundings) -> Standing {
        let mut trials: Vec<Trial> = Vec::new();
        let mut spent = self.charged;
        let mut is_open = false;
        while !is_open {
            let first = trials.len();
            self.draw(&mut trials, spent, around);
            if trials.len() == first {
                break;
            }
            is_open = self.climb(&mut trials, first, around);
            for trial in &mut trials[first..] {
                trial.epochs = self.cost(trial, around);
                spent += trial.epochs;
            }
        }
        let finished = trials.iter().enumerate().filter(|(_, t)| t.state == TrialState::Finished);
        let last = |trial: &Trial| trial.scores.last().copied().unwrap_or(f64::NEG_INFINITY);
        let better = |best: (usize, f64), (index, trial): (usize, &Trial)| {
            if last(trial) > best.1 { (index, last(trial)) } else { best }
        };
        let first = finished.clone().next().map(|(index, trial)| (index, last(trial)));
        let best = first.map(|first| finished.fold(first, better).0);
        Standing { trials, is_open, best, epochs: spent }
    }

    fn cost(&self, trial: &Trial, around: &dyn Surroundings) -> u64 {
        let cost = around.epochs(&trial.point);
        cost.until(*self.rungs.get(trial.levels - 1).unwrap_or(&usize::MAX))
    }

    /// The next batch, as far as the budget reaches.
    fn draw(&self, trials: &mut Vec<Trial>, spent: u64, around: &dyn Surroundings) {
        let first = trials.len();
        let size = match &self.sampler {
            Sampler::Tpe(tpe) if first == 0 => tpe.startup.max(1),
            _ => self.batch,
        };
        let mut left = self.budget.saturating_sub(spent);
        for index in first..self.trials.min(first.saturating_add(size)) {
            let draw = || {
                let mut stream = Stream::new(self.seed, Purpose::Trial, 0, index as u64);
                let mut uniform = || f64::from(stream.uniform());
                let history = history(trials);
                self.sampler.propose(&self.space, index, &history, self.seed, &mut uniform)
            };
            let Some(point) = around.point(index, &draw) else { return };
            let whole = around.epochs(&point).until(usize::MAX);
            let Some(rest) = left.checked_sub(whole) else { return };
            left = rest;
            let (scores, state, epochs) = (Vec::new(), TrialState::Open, 0);
            trials.push(Trial { point, levels: 1, scores, state, epochs });
        }
    }

    /// Takes the batch from `first` on up the rungs; whether something is not known yet.
    fn climb(&self, trials: &mut [Trial], first: usize, around: &dyn Surroundings) -> bool {
        for level in 0..=self.rungs.len() {
            let mut unknown = false;
            let going: Vec<usize> = (first..trials.len())
                .filter(|&index| trials[index].state == TrialState::Open)
                .collect();
            for &index in &going {
                let trial = &mut trials[index];
                trial.levels = level + 1;
                match around.score(index, level, &trial.point) {
                    None => unknown = true,
                    Some(Err(Failed)) => trial.state = TrialState::Failed,
                    Some(Ok(score)) => trial.scores.push(score),
                }
            }
            if unknown {
                return true;
            }
            let going: Vec<usize> =
                going.into_iter().filter(|&i| trials[i].state == TrialState::Open).collect();
            if level == self.rungs.len() {
                going.iter().for_each(|&index| trials[index].state = TrialState::Finished);
                break;
            }
            let before: Vec<f64> = trials[..first]
                .iter()
                .filter_map(|trial| trial.scores.get(level))
                .copied()
                .collect();
            let scores: Vec<&[f64]> = going.iter().map(|&i| &*trials[i].scores).collect();
            let goes_on = self.stop.decide(&scores, &before);
            for (index, goes_on) in going.into_iter().zip(goes_on) {
                if !goes_on {
                    trials[index].state = TrialState::Stopped;
                }
            }
        }
        false
    }
}

/// Points with losses for a sampler, which looks at their order alone: who came further is better, then who
/// scored more. What failed is the worst; what is not known yet comes before it, so that the trials of one
/// batch keep away from one another (Optuna's `constant_liar`).
fn history(trials: &[Trial]) -> Vec<(Point, f64)> {
    let rank = |trial: &Trial| match trial.state {
        TrialState::Failed => (0, f64::NEG_INFINITY),
        TrialState::Open => (0, f64::MIN),
        _ => (trial.levels, trial.scores.last().copied().unwrap_or(f64::NEG_INFINITY)),
    };
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by(|&a, &b| {
        let ((a_level, a), (b_level, b)) = (rank(&trials[a]), rank(&trials[b]));
        b_level.cmp(&a_level).then(b.total_cmp(&a))
    });
    let mut losses = vec![0.0; trials.len()];
    order.iter().enumerate().for_each(|(place, &trial)| losses[trial] = place as f64);
    trials.iter().map(|trial| trial.point.clone()).zip(losses).collect()
}
