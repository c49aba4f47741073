//! Aligned columns.

use super::{HEADS, Report, caption, cells, notes};
use comfy_table::{CellAlignment, Table, presets::NOTHING};

pub(super) fn render(report: &Report) -> String {
    let tables = report.tables.iter().map(|results| {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(HEADS);
        table.add_rows(results.rows.iter().map(cells));
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines = table.to_string();
        let lines = lines.lines().map(str::trim_end).map(str::to_owned);
        let lines = std::iter::once(caption(results)).chain(lines).chain(notes(results));
        lines.map(|line| line + "\n").collect::<String>()
    });
    tables.collect::<Vec<_>>().join("\n")
}
