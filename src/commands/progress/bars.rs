//! A bar for the run and one for each running node.

use super::{ending, epoch_text};
use crate::execute::{Event, Fate, Observer};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

pub(super) struct Bars {
    names: Vec<String>,
    multi: MultiProgress,
    total: ProgressBar,
    running: Mutex<HashMap<usize, ProgressBar>>,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates below are constant and tested")
}

impl Bars {
    pub fn new(names: Vec<String>, running: usize) -> Self {
        let multi = MultiProgress::new();
        let total = multi.add(ProgressBar::new(running as u64));
        total.set_style(style("{bar:24} {pos}/{len} nodes, {elapsed}"));
        total.enable_steady_tick(Duration::from_millis(500));
        Self { names, multi, total, running: Mutex::default() }
    }

    fn with_bar(&self, step: usize, act: impl FnOnce(&ProgressBar)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        act(running.entry(step).or_insert_with(|| {
            let bar = self.multi.insert_before(&self.total, ProgressBar::new(0));
            bar.set_style(style("{spinner} {prefix} {bar:16} {pos}/{len} {msg}"));
            bar.set_prefix(self.names[step].clone());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        }));
    }

    /// A line above the bars. If the terminal has gone there is nobody to tell.
    fn line(&self, line: &str) {
        let _ = self.multi.println(line);
    }
}

impl Observer for Bars {
    fn event(&self, event: &Event) {
        match event {
            Event::Started { step } => self.with_bar(*step, |_| {}),
            Event::Epoch { step, epoch, epochs, loss, accuracy, samples_per_second } => {
                self.with_bar(*step, |bar| {
                    bar.set_length(*epochs as u64);
                    bar.set_position(*epoch as u64);
                    bar.set_message(epoch_text(*loss, *accuracy, *samples_per_second));
                });
            }
            Event::Ended { step, fate } => {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(bar) = running.remove(step) {
                    bar.finish_and_clear();
                }
                drop(running);
                if matches!(fate, Fate::Made(_)) {
                    self.total.inc(1);
                }
                if let Some(line) = ending(&self.names, *step, fate) {
                    self.line(&line);
                }
            }
            Event::Note(note) => self.line(&format!("note: {note}")),
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::Made;

    #[test]
    fn a_run_goes_through_all_its_events_without_a_terminal() {
        let bars = Bars::new(vec!["teacher@0".to_owned()], 1);
        bars.event(&Event::Started { step: 0 });
        let (loss, accuracy, samples_per_second) = (1.0, Some(0.5), 10.0);
        bars.event(&Event::Epoch {
            step: 0,
            epoch: 1,
            epochs: 2,
            loss,
            accuracy,
            samples_per_second,
        });
        bars.event(&Event::Ended { step: 0, fate: Fate::Made(Made::Here(1.0)) });
        assert_eq!(bars.total.position(), 1);
    }
}
