//! What people and programs see while nodes run: bars on a terminal, plain lines or JSON elsewhere.

mod bars;
mod behind;
mod board;
mod decoding;
mod groups;
mod json;
mod lines;
mod states;

use super::{say::say, stderr};
use crate::{
    executor::{Costs, Done, Observer, Status},
    history::EpochRecord,
    plan::Plan,
};
use bars::Bars;
use behind::Behind;
use board::{Board, Left};
use indicatif::HumanDuration;
use json::Objects;
use lines::{Detail, Lines};
use serde_json::json;
use states::Counts;
use std::{io::IsTerminal, sync::Arc, time::Duration};

pub(crate) use decoding::Decoding;
pub(crate) use json::{status_json, tell};

/// What a run tells on stderr.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct LogArgs {
    /// Tell failures only
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Tell every epoch, and what is reused, in plain lines
    #[arg(long, short)]
    verbose: bool,
    /// How events are written to stderr
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    log_format: LogFormat,
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// A live view on a terminal, plain lines elsewhere
    Human,
    /// One JSON object an event; docs/events.md describes them
    Json,
}

impl LogArgs {
    pub fn is_json(self) -> bool {
        self.log_format == LogFormat::Json
    }

    pub fn is_verbose(self) -> bool {
        self.verbose
    }

    /// A view of a plan's walk that fits what is asked for and where stderr goes. `names` are the
    /// steps', `groups` what they share with others of a matrix, chain or search, `costs` what steps like them have cost on the same device.
    pub fn view(
        self,
        plan: &Plan,
        names: Vec<String>,
        groups: &[Option<Arc<str>>],
        jobs: usize,
        costs: Costs,
    ) -> Box<dyn Observer> {
        let board =
            || Board::new(plan, names.clone(), jobs, costs.clone()).grouped(groups.to_vec());
        // Records that RUST_LOG asks for would tear the bars.
        let live = std::io::stderr().is_terminal() && std::env::var_os("RUST_LOG").is_none();
        if self.is_json() {
            Box::new(Objects::new(board()))
        } else if self.quiet {
            Box::new(Lines::new(board(), Detail::Failures))
        } else if self.verbose {
            Box::new(Lines::new(board(), Detail::Everything))
        } else {
            let bars = || {
                let board = board();
                Behind::new(|| Bars::new(board)).ok()
            };
            match live.then(bars).flatten() {
                Some(behind) => Box::new(behind),
                None => Box::new(Lines::new(board(), Detail::Usual)),
            }
        }
    }

    /// From now on nothing that is told waits for whoever reads it.
    pub fn never_wait(self) {
        stderr::start(if self.is_json() {
            |count| json::line("dropped", json!({ "lines": count }))
        } else {
            |count| format!("note: {count} lines of progress were dropped: nobody read them")
        });
    }

    /// Tells a sentence that belongs to no step.
    pub fn note(self, text: &str) {
        if self.is_json() {
            tell("note", json!({ "message": text }));
        } else if !self.quiet {
            say(text);
        }
    }
}

/// How a step ended, as a line; nothing where there is nothing to tell.
fn ending(board: &Board, step: usize, status: &Status) -> Option<String> {
    let name = board.title(step);
    match status {
        Status::Done(Done::Here(seconds)) => {
            let accuracy = board.accuracy(step).map(|share| share * 100.0);
            let accuracy = accuracy.map(|percent| format!(", accuracy {percent:.2} %"));
            Some(format!("{name}: done in {seconds:.1} s{}", accuracy.unwrap_or_default()))
        }
        Status::Done(Done::Elsewhere) => {
            Some(format!("{name}: made meanwhile by another step or process"))
        }
        Status::Failed(error) => {
            let hint = error.kind.hint().map(|hint| format!("\n  hint: {hint}"));
            Some(format!("{name}: failed: {error}{}", hint.unwrap_or_default()))
        }
        Status::Blocked(root) => {
            Some(format!("{name}: not run, because {} failed", board.title(*root)))
        }
        Status::Reused | Status::Skipped | Status::NotStarted => None,
    }
}

/// `loss 0.4213, accuracy 84.10 % (training 85.32 %), 2310 images/s`; the first is that on the eval
/// split, where there is one.
fn epoch_text(record: &EpochRecord, samples_per_second: f64) -> String {
    let &EpochRecord { loss, accuracy, train_accuracy, .. } = record;
    let [evaluated, trained] =
        [accuracy, train_accuracy].map(|share| share.map(|share| share * 100.0));
    let accuracy = match (evaluated, trained) {
        (Some(evaluated), Some(trained)) => {
            format!("accuracy {evaluated:.2} % (training {trained:.2} %), ")
        }
        (Some(evaluated), None) => format!("accuracy {evaluated:.2} %, "),
        (None, Some(trained)) => format!("training accuracy {trained:.2} %, "),
        (None, None) => String::new(),
    };
    format!("loss {loss:.4}, {accuracy}{samples_per_second:.0} images/s")
}

/// `4 done, 6 reused, 2 running, 8 waiting; 31s, about 2m left`; what is zero is left out, since a
/// terminal may be narrow.
fn standing(board: &mut Board, time: f64) -> String {
    let Counts { done, reused, running, waiting, failed } = board.counts();
    let counts = [
        (done, "done"),
        (reused, "reused"),
        (running, "running"),
        (waiting, "waiting"),
        (failed, "failed"),
    ];
    let shown = counts.iter().filter(|(count, word)| *count > 0 || *word == "done");
    let counts = shown.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>();
    let left = board.left_lately(time).map(|Left { seconds, at_least }| {
        format!(", {} {} left", if at_least { "at least" } else { "about" }, short(seconds))
    });
    format!("{}; {}{}", counts.join(", "), short(time), left.unwrap_or_default())
}

/// `45s`, `12m`, `3h`.
pub(crate) fn short(seconds: f64) -> String {
    format!("{:#}", HumanDuration(duration(seconds)))
}

/// `45 seconds`, `12 minutes`, `3 hours`.
pub(crate) fn long(seconds: f64) -> String {
    HumanDuration(duration(seconds)).to_string()
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
