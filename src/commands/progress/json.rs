//! One JSON object an event, for programs. `docs/events.md` describes them.

use super::{
    super::stderr::{self, Worth},
    Board,
};
use crate::execute::{Event, Fate, Made, Observer};
use serde_json::{Value, json};
use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

/// Writes an event to stderr: its kind, the time, and what else `fields` holds.
pub(in crate::commands) fn tell(event: &str, fields: Value) {
    let progress = ["epoch", "decoding", "record"].contains(&event);
    stderr::line(line(event, fields), if progress { Worth::Progress } else { Worth::Word });
}

/// An event as a line.
pub(in crate::commands) fn line(event: &str, fields: Value) -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut object = json!({ "event": event, "time": since.as_millis() as f64 / 1000.0 });
    if let (Value::Object(all), Value::Object(more)) = (&mut object, fields) {
        all.extend(more);
    }
    object.to_string()
}

/// A fate's word, and what belongs to it.
pub(in crate::commands) fn fate_json(
    fate: &Fate,
    name: impl Fn(usize) -> String,
) -> (&'static str, Value) {
    match fate {
        Fate::Reused => ("reused", json!({})),
        Fate::Skipped => ("skipped", json!({})),
        Fate::Made(Made::Here(seconds)) => ("made", json!({ "seconds": seconds })),
        Fate::Made(Made::Elsewhere) => ("made-elsewhere", json!({})),
        Fate::Failed(problem) => ("failed", json!({ "error": problem })),
        Fate::Blocked(root) => ("blocked", json!({ "by": name(*root) })),
        Fate::NotStarted => ("not-started", json!({})),
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
            Event::Samples { .. } => {}
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
            Event::Ended { step, fate } => {
                let (word, mut fields) = fate_json(fate, |step| board.name(step).to_owned());
                fields["node"] = board.name(*step).into();
                fields["kind"] = json!(board.kind(*step));
                fields["fate"] = word.into();
                tell("ended", fields);
            }
            Event::Note(note) => tell("note", json!({ "message": note })),
        }
    }
}
