//! A page for a browser: it holds everything that it shows, and loads nothing.

mod calibration;
mod curves;
mod decisions;
mod details;
mod draw;
mod figures;
mod gain;
mod layout;
mod measurements;
mod page;
mod strip;
mod tables;

use super::ReportFormat;

pub(super) static HTML: ReportFormat = ReportFormat {
    name: "html",
    endings: &["html", "htm"],
    doc: "One page for a browser: tables, figures, nodes with their curves and configuration",
    shows_nodes: true,
    render: page::render,
};
