//! How long a walk will take.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

/// What is left of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rest {
    /// It is over, or will not run.
    Nothing,
    /// It runs, for so many more seconds.
    Running(f64),
    /// It will run for so many seconds.
    Waiting(f64),
}

impl Rest {
    fn seconds(self) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Running(seconds) | Self::Waiting(seconds) => seconds,
        }
    }
}

/// Seconds from the start of each step to the end of the longest path that begins with it. Steps come
/// after their parents.
pub fn remaining(seconds: &[f64], children: &[Vec<usize>]) -> Vec<f64> {
    let mut paths = seconds.to_vec();
    for step in (0..paths.len()).rev() {
        let longest = children[step].iter().map(|&child| paths[child]).fold(0.0, f64::max);
        paths[step] += longest;
    }
    paths
}

/// Seconds until every step is over, when at most `jobs` run at a time and of those that could start
/// the one does that the most waits for, as a [`Walk`](super::Walk) has it.
pub fn makespan(rest: &[Rest], parents: &[Vec<usize>], jobs: usize) -> f64 {
    let open = |step: usize| rest[step] != Rest::Nothing;
    let mut children = vec![Vec::new(); rest.len()];
    let mut missing = vec![0; rest.len()];
    for step in (0..rest.len()).filter(|&step| open(step)) {
        for &parent in parents[step].iter().filter(|&&parent| open(parent)) {
            children[parent].push(step);
            missing[step] += 1;
        }
    }
    let seconds: Vec<f64> = rest.iter().map(|rest| rest.seconds()).collect();
    let paths = remaining(&seconds, &children);
    // Milliseconds, since floats have no total order; no run lasts 500 million years.
    let millis = |seconds: f64| (seconds.max(0.0) * 1000.0) as u64;
    let (mut now, mut running, mut ready) = (0, BinaryHeap::new(), BTreeSet::new());
    let turn = |step: usize| (Reverse(millis(paths[step])), step);
    for (step, rest) in rest.iter().enumerate() {
        match rest {
            Rest::Running(seconds) => running.push(Reverse((millis(*seconds), step))),
            Rest::Waiting(_) if missing[step] == 0 => {
                ready.insert(turn(step));
            }
            Rest::Waiting(_) | Rest::Nothing => {}
        }
    }
    loop {
        while running.len() < jobs.max(1)
            && let Some((_, step)) = ready.pop_first()
        {
            let Rest::Waiting(seconds) = rest[step] else { continue };
            running.push(Reverse((now + millis(seconds), step)));
        }
        let Some(Reverse((end, step))) = running.pop() else { return now as f64 / 1000.0 };
        now = end;
        for &child in &children[step] {
            missing[child] -= 1;
            if missing[child] == 0 && matches!(rest[child], Rest::Waiting(_)) {
                ready.insert(turn(child));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_the_walk() {
        let none: Vec<Vec<usize>> = vec![vec![]; 3];
        let wait = Rest::Waiting;
        assert_eq!(makespan(&[wait(3.0), wait(2.0), wait(2.0)], &none, 1), 7.0);
        assert_eq!(makespan(&[wait(3.0), wait(2.0), wait(2.0)], &none, 2), 4.0);
        assert_eq!(makespan(&[Rest::Running(1.0), wait(2.0), Rest::Nothing], &none, 1), 3.0);
        // What the most waits for goes first.
        let short_first = [vec![], vec![], vec![1]];
        assert_eq!(makespan(&[wait(3.0), wait(1.0), wait(3.0)], &short_first, 2), 4.0);
        assert_eq!(makespan(&[wait(1.0), wait(1.0), wait(3.0)], &short_first, 1), 5.0);
        // A chain takes its sum, however many could run in parallel.
        let chain = [vec![], vec![0], vec![1]];
        assert_eq!(makespan(&[Rest::Running(0.5), wait(1.0), wait(1.0)], &chain, 8), 2.5);
        assert_eq!(makespan(&[Rest::Nothing, wait(1.0), wait(1.0)], &chain, 8), 2.0);
        assert_eq!(makespan(&[Rest::Nothing; 3], &chain, 8), 0.0);
    }
}
