//! Markdown tables.

use super::{
    ReportFormat,
    grid::{Grid, caption, grid},
    notes::{decisions, footnotes, notes, told},
};
use crate::report::{Report, escape::markdown as escape};

pub(super) static MARKDOWN: ReportFormat = ReportFormat {
    name: "md",
    endings: &["md", "markdown"],
    doc: "Markdown tables",
    shows_nodes: false,
    render: |contents| render(contents.report),
};

fn render(report: &Report) -> String {
    let tables = report.tables.iter().map(|results| {
        let Grid { heads, rows } = grid(results);
        let mut text = format!("**{}**\n\n", escape(&caption(results)));
        text += &line(heads.iter().map(|head| head.text.as_str()));
        let rules = heads.iter().map(|head| if head.is_words { "---" } else { "---:" });
        text += &format!("|{}|\n", rules.collect::<Vec<_>>().join("|"));
        text.extend(rows.iter().map(|row| line(row.iter().map(String::as_str))));
        for note in footnotes(results).into_iter().chain(notes(results)) {
            text += &format!("\n{}\n", escape(&note));
        }
        text
    });
    let told = told(report).into_iter().map(|sentence| escape(&sentence) + "\n");
    let decisions = decisions(report).into_iter().map(|found| escape(found.trim_start()) + "\n");
    tables.chain(told).chain(decisions).collect::<Vec<_>>().join("\n")
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    format!("| {} |\n", cells.map(escape).collect::<Vec<_>>().join(" | "))
}
