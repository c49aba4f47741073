//! Everything, for programs.

use super::Report;

pub(super) fn render(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("plain data with string keys is always JSON") + "\n"
}
