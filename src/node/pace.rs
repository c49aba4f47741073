//! When what is unfinished is written down, and how long it took so far.

use std::time::{Duration, Instant};

/// Writing costs a copy to the host and an fsync: at most one part in this many of the time.
const SHARE: u32 = 20;

/// The rhythm in which something is written again and again, so that its cost stays a small share.
pub(super) struct Pace {
    written: Instant,
    /// What the last writing took.
    cost: Duration,
}

impl Pace {
    pub fn new() -> Self {
        Self { written: Instant::now(), cost: Duration::ZERO }
    }

    /// Whether `interval` has gone by, and long enough beside what the last writing took.
    pub fn is_due(&self, interval: Duration) -> bool {
        self.written.elapsed() >= interval.max(self.cost * SHARE)
    }

    /// A writing that began at `started` is over.
    pub fn wrote(&mut self, started: Instant) {
        self.written = Instant::now();
        self.cost = self.written - started;
    }
}

/// Seconds of a piece of work, those of earlier runs included.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    before: f64,
    started: Instant,
}

impl Clock {
    /// Goes on from the seconds that an earlier run has left.
    pub fn from(before: f64) -> Self {
        Self { before, started: Instant::now() }
    }

    pub fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dear_to_write_is_written_seldom() {
        let mut pace = Pace::new();
        assert!(pace.is_due(Duration::ZERO) && !pace.is_due(Duration::from_secs(3600)));
        let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(60)) else { return };
        pace.wrote(long_ago);
        assert!(!pace.is_due(Duration::ZERO), "a minute of writing waits for twenty");
    }

    #[test]
    fn seconds_of_earlier_runs_count() {
        assert!(Clock::from(1000.0).seconds() >= 1000.0);
    }
}
