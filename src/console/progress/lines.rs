//! One plain line an event, for pipes and logs.

use super::{
    super::{
        say,
        stderr::{self, Worth},
    },
    Board, ending, epoch_text, short,
};
use crate::{
    executor::{Event, Observer, Status},
    report::printable,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Shortest time between two epoch lines of one step: a log is no place for fifty lines a second.
const QUIET: Duration = Duration::from_secs(10);

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Failures.
    Failures,
    /// Beginnings, ends, and now and then an epoch.
    Usual,
    /// Every epoch.
    Everything,
}

pub(super) struct Lines {
    detail: Detail,
    started: Instant,
    board: Mutex<Board>,
    told: Mutex<HashMap<usize, Instant>>,
}

impl Lines {
    pub fn new(board: Board, detail: Detail) -> Self {
        let (board, told) = (Mutex::new(board), Mutex::default());
        Self { detail, started: Instant::now(), board, told }
    }

    fn is_due(&self, step: usize) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.get(&step).is_none_or(|last| last.elapsed() >= QUIET);
        if due {
            told.insert(step, Instant::now());
        }
        due || self.detail == Detail::Everything
    }
}

impl Observer for Lines {
    fn event(&self, event: &Event) {
        let time = self.started.elapsed().as_secs_f64();
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.event(event, time);
        if self.detail == Detail::Failures {
            if let Event::Ended { step, status: status @ (Status::Failed(_) | Status::Blocked(_)) } =
                event
                && let Some(line) = ending(&board, *step, status)
            {
                say(&line);
            }
            return;
        }
        match event {
            Event::Started { step } => {
                self.is_due(*step);
                say(&format!("{}: started", board.title(*step)));
            }
            Event::Samples { .. } | Event::Passed { .. } | Event::Measured { .. } => {}
            Event::Epoch { step, epochs, record, samples_per_second } => {
                if self.is_due(*step) {
                    let text = epoch_text(record, *samples_per_second);
                    let left = board.step_left(*step, time).filter(|_| record.epoch < *epochs);
                    let left = left.map(|left| format!(", {} left", short(left)));
                    let (name, left) = (board.title(*step), left.unwrap_or_default());
                    let line = format!("{name}: epoch {}/{epochs}, {text}{left}", record.epoch);
                    stderr::line(printable(&line, false).into_owned(), Worth::Progress);
                }
            }
            Event::Ended { step, status } => {
                if let Some(line) = ending(&board, *step, status) {
                    say(&line);
                }
            }
            Event::Note(note) => say(&format!("note: {note}")),
        }
    }
}
