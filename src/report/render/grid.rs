//! Tables for people: their columns, their cells and their captions.

use crate::report::{NOTHING, Results, TEST_SELECTED, TableRow, signed, split_name, thousands};

/// Column heads of the tables for people; the last two only where a row quotes a paper.
const HEADS: [&str; 8] =
    ["network", "net", "parameters", "accuracy %", "seeds", "training s", "paper ‡", "diff ‡"];

/// Columns of words; those after them are numbers.
pub(super) const WORDS: usize = 2;

/// Heads and rows of a table for people.
pub(super) fn grid(table: &Results) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let columns = if table.quotes() { HEADS.len() } else { HEADS.len() - 2 };
    let rows = table.rows.iter().map(|row| cells(row).into_iter().take(columns).collect());
    (HEADS[..columns].to_vec(), rows.collect())
}

/// A row's cells under [`HEADS`].
fn cells(row: &TableRow) -> [String; 8] {
    let nothing = || NOTHING.to_owned();
    let paper = row.paper.map_or_else(nothing, |paper| format!("{paper:.2}"));
    let Some(ours) = &row.ours else {
        let label = row.label.clone();
        return [label, nothing(), nothing(), nothing(), nothing(), nothing(), paper, nothing()];
    };
    let mark = if ours.is_test_selected() { TEST_SELECTED } else { "" };
    let accuracy = ours.accuracy();
    let difference = accuracy.zip(row.paper).map(|(spread, paper)| spread.mean * 100.0 - paper);
    let (measured, seeds) = (ours.seeds.len() - ours.missing(), ours.seeds.len());
    [
        row.label.clone(),
        ours.net.clone(),
        thousands(ours.parameters),
        format!("{}{mark}", accuracy.map_or_else(nothing, |spread| spread.percent())),
        if measured == seeds { measured.to_string() } else { format!("{measured} of {seeds}") },
        ours.seconds().map_or_else(nothing, |spread| format!("{:.1}", spread.mean)),
        paper,
        difference.map_or_else(nothing, signed),
    ]
}

/// What stands above and below a table.
pub(super) fn caption(table: &Results) -> String {
    let split = split_name(table.split);
    format!("{}: top-1 on the {split} split, mean ± std over seeds", table.title)
}
