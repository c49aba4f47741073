//! What an evaluation is asked of softness.

use crate::pipeline::Eval;
use serde::{Deserialize, Serialize};

/// What is asked. It tells the parents apart too: a network that others are set against is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Softness {
    /// Of the network alone.
    Alone,
    /// Beside another network, too.
    Against,
}

impl Softness {
    /// What `eval` asks; nothing by default.
    pub(super) fn of(eval: &Eval) -> Option<Self> {
        let asked = if eval.against.is_some() { Self::Against } else { Self::Alone };
        eval.softness.then_some(asked)
    }
}
