//! A report as one page for a browser: it holds everything that it shows, and loads nothing.

mod calibration;
mod draw;
mod gather;
mod html;
mod layout;

use super::Report;
use crate::{
    graph::Graph,
    key::{Key, KeyInputs},
    store::{Store, StoreError},
};
use gather::PageNode;

/// A pipeline's report with what the cache holds of every node.
pub struct Page<'a> {
    graph: &'a Graph<'a>,
    report: &'a Report,
    nodes: Vec<PageNode>,
}

impl<'a> Page<'a> {
    /// Reads what `report`, which is of the same graph, does not hold: states, curves, provenance.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry is shown as damaged.
    pub fn gather(
        graph: &'a Graph<'a>,
        keys: &[(KeyInputs, Key)],
        store: &Store,
        report: &'a Report,
    ) -> Result<Self, StoreError> {
        Ok(Self { graph, report, nodes: gather::nodes(graph, keys, store)? })
    }
}
