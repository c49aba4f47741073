//! How far the images of a data set have been decoded, before nodes run.

use super::{super::say::say, LogArgs, tell};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Shortest time between two events, and between two lines.
const EVENTS: Duration = Duration::from_secs(1);
const LINES: Duration = Duration::from_secs(10);

/// What is told while images are decoded; the end is told when it is dropped.
pub(crate) struct Decoding {
    data: String,
    total: usize,
    done: AtomicUsize,
    view: View,
    started: Instant,
    told: Mutex<Instant>,
}

enum View {
    Nothing,
    Lines,
    Events,
    Bar(ProgressBar),
}

impl Decoding {
    /// Begins to tell of the `total` images of the data set `data`.
    pub fn new(log: LogArgs, data: &str, total: usize) -> Self {
        let view = if log.is_json() {
            View::Events
        } else if log.quiet {
            View::Nothing
        } else if std::io::stderr().is_terminal() && !log.verbose {
            let bar = ProgressBar::new(total as u64).with_prefix(data.to_owned());
            let template = "{prefix}: checking images {bar:24.cyan} {pos}/{len}, {eta} left";
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.expect("the template is constant"));
            View::Bar(bar)
        } else {
            say(&format!("{data}: checking {total} images; each is decoded once"));
            View::Lines
        };
        let (data, started) = (data.to_owned(), Instant::now());
        let (done, told) = (AtomicUsize::new(0), Mutex::new(started));
        let decoding = Self { data, total, done, view, started, told };
        if let View::Events = decoding.view {
            decoding.event(0);
        }
        decoding
    }

    /// One more is done; told now and then.
    pub fn advance(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => bar.inc(1),
            View::Events => {
                if self.is_due(EVENTS) {
                    self.event(done);
                }
            }
            View::Lines => {
                if self.is_due(LINES) {
                    say(&format!("{}: checked {done}/{} images", self.data, self.total));
                }
            }
        }
    }

    fn is_due(&self, every: Duration) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.elapsed() >= every;
        if due {
            *told = Instant::now();
        }
        due
    }

    fn event(&self, done: usize) {
        tell("decoding", json!({ "data": self.data, "done": done, "total": self.total }));
    }
}

impl Drop for Decoding {
    fn drop(&mut self) {
        let done = self.done.load(Ordering::Relaxed);
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => bar.finish_and_clear(),
            View::Events => self.event(done),
            View::Lines => {
                let seconds = self.started.elapsed().as_secs_f64();
                say(&format!("{}: checked {done} images in {seconds:.1} s", self.data));
            }
        }
    }
}
