//! Why a step gave no artifact.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a step gave no artifact: what went wrong, and a sentence that says where and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// What went wrong. It decides the exit code, whether the step is worth another try, and the hint.
    pub kind: StepErrorKind,
    /// For people.
    pub message: String,
}

/// What went wrong in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepErrorKind {
    /// Images or weights that cannot be read, or are not what was planned with.
    Data,
    /// Memory or threads that the machine does not have.
    Memory,
    /// NaN or infinite numbers, or a training that learns nothing any more.
    Diverged,
    /// The device refused.
    Device,
    /// An entry that cannot be read or written.
    Cache,
    /// The run was stopped.
    Interrupted,
    /// A cluster's job that ended before its node said anything.
    Job,
    /// A fault of takd's.
    Bug,
}

/// Whether a step that failed is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// The same again would fail again.
    Never,
    /// The pipeline need not change: the machine, the disk or the device must.
    Later,
    /// With fewer steps beside it.
    Alone,
}

impl StepErrorKind {
    /// The kind that a word in an event means.
    pub fn named(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }

    /// Whether the step is worth another try with the same pipeline.
    pub fn retry(self) -> Retry {
        match self {
            Self::Data | Self::Diverged | Self::Bug => Retry::Never,
            Self::Device | Self::Cache | Self::Interrupted | Self::Job => Retry::Later,
            Self::Memory => Retry::Alone,
        }
    }

    /// What helps against all errors of this kind, where the message cannot say it.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Memory => Some("`--jobs 1` runs one node at a time"),
            Self::Device => Some("`--device cpu` needs no driver"),
            Self::Bug => Some("this is a bug in takd; please report it with the line above"),
            Self::Data | Self::Diverged | Self::Cache | Self::Interrupted | Self::Job => None,
        }
    }
}

/// The word in events: `data`, `memory`.
impl fmt::Display for StepErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Memory => "memory",
            Self::Diverged => "diverged",
            Self::Device => "device",
            Self::Cache => "cache",
            Self::Interrupted => "interrupted",
            Self::Job => "job",
            Self::Bug => "bug",
        })
    }
}

impl StepError {
    /// An error of this kind.
    pub fn new(kind: StepErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// The run was stopped.
    pub fn interrupted() -> Self {
        Self::new(StepErrorKind::Interrupted, "stopped")
    }
}
