//! What a format of reports is.

use crate::{
    graph::Graph,
    report::{NodeResults, Report},
};

/// A way to write a report.
pub struct ReportFormat {
    /// Its name in `--format`.
    pub name: &'static str,
    /// Endings of files, in lower case, that are written in it where no format is named.
    pub endings: &'static [&'static str],
    /// What it is: one line of `--help`.
    pub doc: &'static str,
    /// Whether it shows [`Contents::nodes`], which are not gathered otherwise.
    pub shows_nodes: bool,
    /// The report as text, with a newline at the end.
    pub render: fn(&Contents<'_>) -> String,
}

/// What a report is written from.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// The pipeline's tasks.
    pub graph: &'a Graph<'a>,
    /// Its tables and figures.
    pub report: &'a Report,
    /// What the cache holds of every node of the graph.
    pub nodes: &'a [NodeResults],
}

impl ReportFormat {
    /// The report in this format, with a newline at the end.
    pub fn render(&self, contents: &Contents<'_>) -> String {
        (self.render)(contents)
    }
}
