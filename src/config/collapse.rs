//! What becomes of a training that learns nothing any more.

use serde::{Deserialize, Serialize};

/// Whether such a training goes on. It decides no bit of what comes out, and so is in no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnCollapse {
    /// It goes on, and a line says so.
    Warn,
    /// It fails: what would learn from it would learn nothing.
    Stop,
}
