//! A report as one page for a browser: it holds everything that it shows, and loads nothing.

mod calibration;
mod details;
mod draw;
mod html;
mod layout;

use super::{NodeResults, Report};
use crate::graph::Graph;

/// A pipeline's report with what the cache holds of every node.
pub struct Page<'a> {
    graph: &'a Graph<'a>,
    report: &'a Report,
    nodes: &'a [NodeResults],
}

impl<'a> Page<'a> {
    /// Of a report and the nodes of the same graph.
    pub fn new(graph: &'a Graph<'a>, report: &'a Report, nodes: &'a [NodeResults]) -> Self {
        Self { graph, report, nodes }
    }
}
