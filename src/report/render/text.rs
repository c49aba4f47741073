//! Aligned columns.

use super::{
    ReportFormat,
    grid::{Grid, caption, grid},
    notes::{decisions, footnotes, notes, told},
};
use crate::report::{Report, escape::line};
use comfy_table::{CellAlignment, Table, presets::NOTHING};

pub(super) static TEXT: ReportFormat = ReportFormat {
    name: "text",
    endings: &["txt"],
    doc: "Aligned columns",
    shows_nodes: false,
    render: |contents| text(contents.report),
};

/// A report for a terminal: its tables in aligned columns, with their notes.
pub fn text(report: &Report) -> String {
    let tables = report.tables.iter().map(|results| {
        let Grid { heads, rows } = grid(results);
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(heads.iter().map(|head| head.text.as_str()));
        table
            .add_rows(rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect::<Vec<_>>()));
        for (column, head) in table.column_iter_mut().zip(&heads) {
            if !head.is_words {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_padding((0, 2));
        }
        let lines = table.to_string();
        let lines = lines.lines().map(str::trim_end).map(str::to_owned);
        let footnotes = footnotes(results).into_iter().flat_map(|note| wrapped(&line(&note)));
        let lines = std::iter::once(line(&caption(results))).chain(lines);
        let lines =
            lines.chain(footnotes).chain(notes(results).into_iter().map(|note| line(&note)));
        lines.map(|line| line + "\n").collect::<String>()
    });
    let told = told(report).into_iter().map(|sentence| line(&sentence) + "\n");
    let decisions: String =
        decisions(report).into_iter().map(|found| line(&found) + "\n").collect();
    let decisions = Some(decisions).filter(|text| !text.is_empty());
    tables.chain(told).chain(decisions).collect::<Vec<_>>().join("\n")
}

/// In lines of at most 80 characters where its words allow, all but the first indented.
fn wrapped(text: &str) -> Vec<String> {
    let options = textwrap::Options::new(80).subsequent_indent("  ").break_words(false);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}
