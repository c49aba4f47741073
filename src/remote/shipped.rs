//! What has gone to a remote and come from it, in numbers.

use serde::Serialize;

/// What has gone and come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shipped {
    /// Entries that went.
    pub pushed: usize,
    /// Bytes that went; files that the remote had are none.
    pub pushed_bytes: u64,
    /// Entries that came, outlines left out.
    pub pulled: usize,
    /// Bytes that came.
    pub pulled_bytes: u64,
    /// Entries that the remote had meanwhile, with the same bits.
    pub equal: usize,
    /// With other bits.
    pub differing: usize,
    /// Entries that could not be pushed.
    pub left: usize,
    /// Why.
    pub problem: Option<String>,
}
