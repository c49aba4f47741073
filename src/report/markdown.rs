//! Markdown tables.

use super::{HEADS, Report, caption, cells, notes};

pub(super) fn render(report: &Report) -> String {
    let tables = report.tables.iter().map(|results| {
        let mut text = format!("**{}**\n\n", escape(&caption(results)));
        text += &line(&HEADS.map(str::to_owned));
        text += "|---|---|---:|---:|---:|---:|\n";
        text.extend(results.rows.iter().map(|row| line(&cells(row))));
        for note in notes(results) {
            text += &format!("\n{}\n", escape(&note));
        }
        text
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', " ")
}
