//! How many steps run side by side where nobody says: as many as the machine does most work with.
//!
//! A thread for each of as many steps as there are cores is the best use of cores that have caches and memory of their
//! own; many large networks side by side share them. So a walk begins with a step a core, and measures what all steps
//! do together; then it lets half as many run on twice the threads each, as steps end, and measures again. It stays
//! with what did more, and tries no further once fewer steps did not. Steps that are over before they can be measured
//! run one a core.

use crate::{mutex::lock, plan::Plan};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

/// Seconds over which work is counted: an epoch's validation, a checkpoint and other processes even out.
const WINDOW: f64 = 20.0;
/// Seconds after which fewer steps that could not be measured, since they end too soon, are given up.
const PATIENCE: f64 = 6.0 * WINDOW;
/// How much more work fewer steps must do to be fewer: less is noise.
const MORE: f64 = 1.05;

/// How many steps run side by side; found out while they run.
pub struct Width {
    /// Multiply-adds of each step.
    work: Vec<f64>,
    state: Mutex<State>,
}

struct State {
    now: usize,
    /// The width that did most work so far, and how much a second.
    best: Option<(usize, f64)>,
    is_settled: bool,
    /// Since when no more than `now` run.
    since: Option<f64>,
    /// What each step that runs has done; nothing before it has said so.
    done: BTreeMap<usize, Option<f64>>,
    /// Since when the same steps run, and what each had done then.
    window: Option<(f64, BTreeMap<usize, Option<f64>>)>,
}

impl Width {
    /// For steps of `plan` on so many cores.
    pub fn new(plan: &Plan, cores: usize) -> Self {
        let work = plan.steps.iter().map(|step| step.multiply_adds).collect();
        let (done, now) = (BTreeMap::new(), cores.max(1));
        let state =
            State { now, best: None, is_settled: now == 1, since: None, done, window: None };
        Self { work, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Most steps at a time, for now.
    pub fn now(&self) -> usize {
        self.state().now
    }

    /// A step begins.
    pub(super) fn begin(&self, step: usize) {
        let mut state = self.state();
        state.done.insert(step, None);
        state.window = None;
    }

    /// A step has ended.
    pub(super) fn end(&self, step: usize) {
        let mut state = self.state();
        state.done.remove(&step);
        state.window = None;
    }

    /// A step has come to this share of its work, in [0, 1], at `now` in seconds; what people may want to know of it.
    pub fn progress(&self, step: usize, share: f64, now: f64) -> Option<String> {
        let mut state = self.state();
        *state.done.get_mut(&step)? = Some(share * self.work[step]);
        if state.is_settled || state.done.len() > state.now {
            return None;
        }
        let tried_since = *state.since.get_or_insert(now);
        if let Some((best, _)) = state.best.filter(|_| now - tried_since > PATIENCE) {
            (state.now, state.is_settled) = (best, true);
            return None;
        }
        if state.done.len() < state.now {
            return None;
        }
        let Some((since, before)) = &state.window else {
            let all = state.done.clone();
            state.window = all.values().all(Option::is_some).then_some((now, all));
            return None;
        };
        if now - since < WINDOW {
            return None;
        }
        let sum = |of: &BTreeMap<usize, Option<f64>>| of.values().flatten().sum::<f64>();
        let pace = (sum(&state.done) - sum(before)) / (now - since);
        state.window = None;
        state.judge(pace)
    }
}

impl State {
    /// So much work a second was done at the present width.
    fn judge(&mut self, pace: f64) -> Option<String> {
        let tried = self.now;
        self.since = None;
        match self.best {
            Some((width, best)) if pace <= best * MORE => {
                self.now = width;
                self.is_settled = true;
                None
            }
            before => {
                self.best = Some((tried, pace));
                self.is_settled = tried == 1;
                self.now = (tried / 2).max(1);
                let (width, best) = before?;
                let more = (pace / best - 1.0) * 100.0;
                let nodes = if tried == 1 { "node does" } else { "nodes do" };
                Some(format!("{tried} {nodes} {more:.0} % more work at a time than {width}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A width of `cores`, after steps have run side by side for long, `pace` telling what so many do a second.
    fn settled(cores: usize, pace: fn(usize) -> f64) -> (usize, Vec<String>) {
        let (work, now) = (vec![1.0; 10_000], cores);
        let state = State {
            now,
            best: None,
            is_settled: now == 1,
            since: None,
            done: BTreeMap::new(),
            window: None,
        };
        let width = Width { work, state: Mutex::new(state) };
        let (mut running, mut next, mut said): (Vec<(usize, f64)>, _, _) =
            (Vec::new(), 0, Vec::new());
        for second in 0..4000 {
            while running.len() < width.now() {
                width.begin(next);
                running.push((next, 0.0));
                next += 1;
            }
            let each = pace(running.len()) / running.len() as f64;
            running.iter_mut().for_each(|(_, share)| *share += each);
            for (step, share) in &running {
                said.extend(width.progress(*step, *share, f64::from(second)));
            }
            running.retain(|(step, share)| {
                let goes_on = *share < 1.0;
                if !goes_on {
                    width.end(*step);
                }
                goes_on
            });
        }
        (width.now(), said)
    }

    #[test]
    fn as_many_run_as_do_most_work() {
        // A step a core, where cores do not disturb each other.
        assert_eq!(settled(8, |count| (count as f64).powf(0.9) * 1e-2), (8, vec![]));
        // Four steps fill the way to memory, and more are in each other's way.
        let crowded = |count: usize| match count {
            8 => 0.010,
            4 => 0.014,
            2 => 0.012,
            _ => 0.010,
        };
        let (width, said) = settled(8, crowded);
        // What each has done is not told at the same moment: 40 % at 20 seconds' accuracy.
        assert!(width == 4 && said.len() == 1, "{width} {said:?}");
        assert!(said[0].starts_with("4 nodes do 4") && said[0].ends_with("than 8"), "{said:?}");
        // Each alone.
        assert_eq!(settled(4, |count| 0.02 / count as f64).0, 1);
        assert_eq!(settled(1, |_| 0.01), (1, vec![]));
    }

    #[test]
    fn steps_that_are_over_soon_change_nothing() {
        assert_eq!(settled(4, |_| 1.0), (4, vec![]));
        // They end before it is known whether two at a time do more.
        assert_eq!(settled(4, |_| 0.1), (4, vec![]));
    }
}
