//! One plain line an event, for pipes and logs.

use super::{super::say, ending, epoch_text};
use crate::execute::{Event, Observer};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Shortest time between two epoch lines of one step: a log is no place for fifty lines a second.
const QUIET: Duration = Duration::from_secs(10);

pub(super) struct Lines {
    names: Vec<String>,
    told: Mutex<HashMap<usize, Instant>>,
}

impl Lines {
    pub fn new(names: Vec<String>) -> Self {
        Self { names, told: Mutex::default() }
    }

    fn is_due(&self, step: usize) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.get(&step).is_none_or(|last| last.elapsed() >= QUIET);
        if due {
            told.insert(step, Instant::now());
        }
        due
    }
}

impl Observer for Lines {
    fn event(&self, event: &Event) {
        match event {
            Event::Started { step } => {
                self.is_due(*step);
                say(&format!("{}: started", self.names[*step]));
            }
            Event::Epoch { step, epoch, epochs, loss, accuracy, samples_per_second } => {
                if self.is_due(*step) {
                    let text = epoch_text(*loss, *accuracy, *samples_per_second);
                    say(&format!("{}: epoch {epoch}/{epochs}, {text}", self.names[*step]));
                }
            }
            Event::Ended { step, fate } => {
                if let Some(line) = ending(&self.names, *step, fate) {
                    say(&line);
                }
            }
            Event::Note(note) => say(&format!("note: {note}")),
        }
    }
}
