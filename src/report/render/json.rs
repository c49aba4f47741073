//! Everything, for programs.

use super::ReportFormat;

pub(super) static JSON: ReportFormat = ReportFormat {
    name: "json",
    endings: &["json"],
    doc: "Everything",
    shows_nodes: false,
    render: |contents| {
        let text = serde_json::to_string_pretty(contents.report);
        text.expect("plain data with string keys is always JSON") + "\n"
    },
};
