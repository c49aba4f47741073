//! LaTeX tables, with booktabs' rules.

use super::{
    ReportFormat,
    grid::{Grid, caption, grid},
    notes::{footnotes, notes},
};
use crate::report::{
    Report,
    escape::{latex, line as comment},
};

pub(super) static LATEX: ReportFormat = ReportFormat {
    name: "latex",
    endings: &["tex"],
    doc: "LaTeX tabulars (booktabs)",
    shows_nodes: false,
    render: |contents| render(contents.report),
};

fn render(report: &Report) -> String {
    let tables = report.tables.iter().map(|results| {
        let Grid { heads, rows } = grid(results);
        let columns: String =
            heads.iter().map(|head| if head.is_words { 'l' } else { 'r' }).collect();
        let mut text = format!("% {}\n", comment(&caption(results)));
        text += &format!("\\begin{{tabular}}{{{columns}}}\n\\toprule\n");
        text += &line(heads.iter().map(|head| head.text.as_str()));
        text += "\\midrule\n";
        text.extend(rows.iter().map(|row| line(row.iter().map(String::as_str))));
        text += "\\bottomrule\n\\end{tabular}\n";
        for note in footnotes(results) {
            text += &format!("\\par{{\\footnotesize\\noindent {}\\par}}\n", latex(&note));
        }
        text.extend(notes(results).iter().map(|note| format!("% {}\n", comment(note))));
        text
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    format!("{} \\\\\n", cells.map(latex).collect::<Vec<_>>().join(" & "))
}
