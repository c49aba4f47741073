//! A line for the run and a bar for each running node, for terminals.

use super::{Board, ending, short, standing};
use crate::{
    executor::{Event, Observer, Pass},
    history::EpochRecord,
    mutex::lock,
};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Steps of a node's bar from its first sample to its last.
const LENGTH: u64 = 1000;

pub(super) struct Bars {
    started: Instant,
    board: Arc<Mutex<Board>>,
    multi: MultiProgress,
    total: ProgressBar,
    running: Mutex<HashMap<usize, Row>>,
    /// Bars of the groups that have begun and not ended.
    groups: Mutex<HashMap<usize, ProgressBar>>,
}

/// A running node's bar, and what its last whole epoch gave.
struct Row {
    bar: ProgressBar,
    epoch: Option<EpochRecord>,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates below are constant and tested")
}

/// `2310/s, loss 0.893, 80.8 % (train 77.6)`: what a narrow terminal cuts is the least of it.
fn brief(record: &EpochRecord, rate: f64) -> String {
    let &EpochRecord { loss, accuracy, train_accuracy, .. } = record;
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let shown = match (accuracy.map(percent), train_accuracy.map(percent)) {
        (Some(evaluated), Some(trained)) => format!(", {evaluated} % (train {trained})"),
        (Some(evaluated), None) => format!(", {evaluated} %"),
        (None, Some(trained)) => format!(", train {trained} %"),
        (None, None) => String::new(),
    };
    format!("{rate:.0}/s, loss {loss:.3}{shown}")
}

impl Bars {
    pub fn new(board: Board) -> Self {
        let (started, board) = (Instant::now(), Arc::new(Mutex::new(board)));
        let multi = MultiProgress::new();
        let total = multi.add(ProgressBar::new(0));
        let shown = board.clone();
        // Written anew at every tick, so that the times move between two events.
        let line = move |_: &ProgressState, out: &mut dyn Write| {
            let time = started.elapsed().as_secs_f64();
            // A terminal's line that cannot be written is no loss.
            let _ = out.write_str(&standing(&mut lock(&shown), time));
        };
        total.set_style(style("{standing}").with_key("standing", line));
        total.enable_steady_tick(Duration::from_millis(500));
        Self { started, board, multi, total, running: Mutex::default(), groups: Mutex::default() }
    }

    fn begin(&self, step: usize) {
        // What runs stands above its group.
        let below = self.group(step).unwrap_or_else(|| self.total.clone());
        let bar = self.multi.insert_before(&below, ProgressBar::new(LENGTH));
        bar.set_style(style("{spinner:.cyan} {prefix} {bar:6.cyan} {wide_msg}"));
        let title = lock(&self.board).title(step);
        bar.set_prefix(title);
        bar.enable_steady_tick(Duration::from_millis(200));
        lock(&self.running).insert(step, Row { bar, epoch: None });
    }

    /// The bar of a step's group, as far as that is; cleared when all of it has ended.
    fn group(&self, step: usize) -> Option<ProgressBar> {
        let (group, share, line) = lock(&self.board).group(step)?;
        let mut groups = lock(&self.groups);
        let bar = groups.entry(group).or_insert_with(|| {
            let bar = self.multi.insert_before(&self.total, ProgressBar::new(LENGTH));
            bar.set_style(style("  {bar:6.green} {wide_msg}"));
            bar
        });
        bar.set_position((share * LENGTH as f64) as u64);
        bar.set_message(line);
        let bar = bar.clone();
        if share >= 1.0 {
            bar.finish_and_clear();
            groups.remove(&group);
        }
        Some(bar)
    }

    fn pass(&self, step: usize, what: Pass, share: f64, rate: f64) {
        let left = lock(&self.board).step_left(step, self.started.elapsed().as_secs_f64());
        let running = lock(&self.running);
        let Some(Row { bar, .. }) = running.get(&step) else { return };
        bar.set_position((share * LENGTH as f64) as u64);
        let word = match what {
            Pass::Measurement => "measures",
            Pass::TeacherLogits => "teacher's logits",
        };
        let left = left.map(|left| format!(", {} left", short(left))).unwrap_or_default();
        bar.set_message(format!("{word} {:.0} %{left}, {rate:.0}/s", share * 100.0));
    }

    fn reach(&self, step: usize, epoch: usize, epochs: usize, share: f64, rate: f64) {
        let left = lock(&self.board).step_left(step, self.started.elapsed().as_secs_f64());
        let running = lock(&self.running);
        let Some(Row { bar, epoch: last }) = running.get(&step) else { return };
        let done = (epoch as f64 - 1.0 + share) / epochs as f64;
        bar.set_position((done * LENGTH as f64) as u64);
        let left = left.map(|left| format!("{} left, ", short(left))).unwrap_or_default();
        let text = match last {
            Some(record) => brief(record, rate),
            None => format!("{rate:.0}/s"),
        };
        bar.set_message(format!("{epoch}/{epochs}, {left}{text}"));
    }

    /// A line above the bars. If the terminal has gone there is nobody to tell.
    fn line(&self, line: &str) {
        let _ = self.multi.println(line);
    }
}

impl Observer for Bars {
    fn event(&self, event: &Event) {
        lock(&self.board).event(event, self.started.elapsed().as_secs_f64());
        match event {
            Event::Started { step } => self.begin(*step),
            Event::Samples { step, epoch, epochs, share, samples_per_second } => {
                self.reach(*step, *epoch, *epochs, *share, *samples_per_second);
            }
            Event::Epoch { step, epochs, record, samples_per_second } => {
                if let Some(row) = lock(&self.running).get_mut(step) {
                    row.epoch = Some(*record);
                }
                self.reach(*step, record.epoch, *epochs, 1.0, *samples_per_second);
            }
            Event::Passed { step, what, share, samples_per_second } => {
                self.pass(*step, *what, *share, *samples_per_second);
            }
            Event::Measured { .. } => {}
            Event::Ended { step, status } => {
                if let Some(row) = lock(&self.running).remove(step) {
                    row.bar.finish_and_clear();
                }
                let line = ending(&lock(&self.board), *step, status);
                if let Some(line) = line {
                    self.line(&line);
                }
                self.group(*step);
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
    use super::brief;
    use crate::history::EpochRecord;

    #[test]
    fn both_accuracies_are_seen_in_80_columns() {
        let (accuracy, train_accuracy) = (Some(0.808), Some(0.77645));
        let record = EpochRecord {
            epoch: 2,
            lr: 0.1,
            loss: 0.8932,
            accuracy,
            train_accuracy,
            temperature: None,
            constant: false,
        };
        let text = brief(&record, 2310.0);
        assert_eq!(text, "2310/s, loss 0.893, 80.8 % (train 77.6)");
        let before = "⠋ train teacher@20 ██████ 2/8, 32s left, ";
        assert!((before.to_owned() + &text).chars().count() <= 80);
        let none = EpochRecord { accuracy: None, ..record };
        assert_eq!(brief(&none, 2310.0), "2310/s, loss 0.893, train 77.6 %");
    }
}
