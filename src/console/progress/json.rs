//! One JSON object an event, for programs. `docs/events.md` describes them.

use super::{
    super::stderr::{self, Worth},
    Board,
};
use crate::executor::{Done, Event, Observer, Status};
use serde_json::{Value, json};
use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

/// Writes an event to stderr: its kind, the time, and what else `fields` holds.
pub(crate) fn tell(event: &str, fields: Value) {
    let progress = ["epoch", "decoding", "record"].contains(&event);
    stderr::line(line(event, fields), if progress { Worth::Progress } else { Worth::Word });
}

/// An event as a line.
pub(crate) fn line(event: &str, fields: Value) -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut object = json!({ "event": event, "time": since.as_millis() as f64 / 1000.0 });
    if let (Value::Object(all), Value::Object(more)) = (&mut object, fields) {
        all.extend(more);
    }
    object.to_string()
}

/// A status's word, and what belongs to it.
pub(crate) fn status_json(
    status: &Status,
    name: impl Fn(usize) -> String,
) -> (&'static str, Value) {
    match status {
        Status::Reused => ("reused", json!({})),
        Status::Skipped => ("skipped", json!({})),
        Status::Done(Done::Here(seconds)) => ("done", json!({ "seconds": seconds })),
        Status::Done(Done::Elsewhere) => ("done-elsewhere", json!({})),
        Status::Failed(error) => (
            "failed",
            json!({
                "error": error.message,
                "error_kind": error.kind,
                "retry": error.kind.retry(),
                "hint": error.kind.hint(),
            }),
        ),
        Status::Blocked(root) => ("blocked", json!({ "by": name(*root) })),
        Status::NotStarted => ("not-started", json!({})),
    }
}

pub(super) struct Objects {
    started: Instant,
    board: Mutex<Board>,
}

impl Objects {
    pub fn new(board: Board) -> Self {
        Self { started: Instant::now(), board: Mutex::new(board) }
    }
}

impl Observer for Objects {
    fn event(&self, event: &Event) {
        let time = self.started.elapsed().as_secs_f64();
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.event(event, time);
        match event {
            Event::Started { step } => {
                let (node, kind) = (board.name(*step), board.kind(*step));
                tell("started", json!({ "node": node, "kind": kind }));
            }
            Event::Samples { .. } | Event::Passed { .. } | Event::Measured { .. } => {}
            Event::Epoch { step, epochs, record, samples_per_second } => tell(
                "epoch",
                json!({
                    "node": board.name(*step),
                    "kind": board.kind(*step),
                    "epoch": record.epoch,
                    "epochs": epochs,
                    "loss": record.loss,
                    "accuracy": record.accuracy,
                    "train_accuracy": record.train_accuracy,
                    "samples_per_second": samples_per_second,
                    "node_seconds_left": board.step_left(*step, time),
                    "run_seconds_left": board.left_lately(time).map(|left| left.seconds),
                }),
            ),
            Event::Ended { step, status } => {
                let (word, mut fields) = status_json(status, |step| board.name(step).to_owned());
                fields["node"] = board.name(*step).into();
                fields["kind"] = json!(board.kind(*step));
                fields["status"] = word.into();
                if let Status::Done(Done::Here(_)) = status {
                    fields["accuracy"] = board.accuracy(*step).into();
                }
                tell("ended", fields);
            }
            Event::Note(note) => tell("note", json!({ "message": note })),
        }
    }
}
