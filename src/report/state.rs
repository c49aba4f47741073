//! What has become of a node: made, in the making, given up, or none of it.

use crate::store::{Maker, Progress, Reached};
use serde::Serialize;

/// State of a task, or of a node with all its seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NodeState {
    /// A process makes it now.
    Running,
    /// The last process that made it has given up.
    Failed,
    /// An entry that must not be used.
    Damaged,
    /// The last process that made it was stopped, or died.
    Stopped,
    /// Some seeds are in the cache; only a node's.
    Partly,
    /// In the cache.
    Done,
    /// Nothing.
    Missing,
}

impl NodeState {
    /// As the legend has them, what asks for a look first.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Failed,
        Self::Damaged,
        Self::Stopped,
        Self::Partly,
        Self::Done,
        Self::Missing,
    ];

    /// What asks for a look.
    pub const ALARMING: [Self; 4] = [Self::Running, Self::Failed, Self::Damaged, Self::Stopped];

    /// Of a node whose tasks have these states: one that asks for a look stands for the whole.
    pub fn of_all(tasks: &[Self]) -> Self {
        let first = tasks.first().copied().unwrap_or(Self::Missing);
        let alarm = Self::ALARMING.into_iter().find(|state| tasks.contains(state));
        let alike = tasks.iter().all(|&state| state == first);
        alarm.unwrap_or(if alike { first } else { Self::Partly })
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Partly => "some seeds in the cache",
            Self::Done => "in the cache",
            Self::Missing => "not in the cache",
            alarming => alarming.class(),
        }
    }

    /// A sign, so that it is told by more than a colour.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Running => "▶",
            Self::Failed => "✗",
            Self::Damaged => "!",
            Self::Stopped => "■",
            Self::Partly => "◐",
            Self::Done => "✓",
            Self::Missing => "○",
        }
    }

    /// Its class in the page's style.
    pub fn class(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Damaged => "damaged",
            Self::Stopped => "stopped",
            Self::Partly => "partly",
            Self::Done => "done",
            Self::Missing => "missing",
        }
    }
}

/// What the process that makes a task, or last made it, has said of itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Making {
    pub host: String,
    pub pid: u32,
    /// Seconds since 1970 when it began.
    pub since: u64,
    /// Seconds since 1970 when it last said something.
    pub updated: u64,
    /// Nothing before its first step.
    #[serde(skip)]
    pub reached: Option<Reached>,
}

impl Making {
    /// The state of a task that a process says something of, why it failed, and the rest.
    pub fn read((said, maker): (Progress, Maker)) -> (NodeState, Option<String>, Self) {
        let state = match maker {
            Maker::Running => NodeState::Running,
            Maker::Stopped => NodeState::Stopped,
            Maker::Failed => NodeState::Failed,
        };
        let making = Self {
            host: said.maker.host,
            pid: said.maker.pid,
            since: said.maker.since,
            updated: said.updated,
            reached: said.reached,
        };
        (state, said.failure, making)
    }
}

#[cfg(test)]
mod tests {
    use super::NodeState::{self, *};

    #[test]
    fn a_node_is_what_asks_for_a_look() {
        assert_eq!(NodeState::of_all(&[Done, Failed, Running]), Running);
        assert_eq!(NodeState::of_all(&[Stopped, Done, Failed]), Failed);
        assert_eq!(NodeState::of_all(&[Missing, Stopped]), Stopped);
        assert_eq!(NodeState::of_all(&[Done, Missing]), Partly);
        assert_eq!(NodeState::of_all(&[Done, Done]), Done);
        assert_eq!(NodeState::of_all(&[Missing]), Missing);
    }
}
