//! Tables of results, from the cache alone: nothing is trained here, and a missing result is shown
//! as missing.

mod compare;
mod csv;
mod entries;
mod escape;
mod figure;
mod gather;
mod json;
mod latex;
mod markdown;
mod nodes;
mod page;
mod paired;
mod picture;
mod quoted;
mod reader;
mod rows;
mod spread;
mod state;
mod tensorboard;
mod text;

use crate::config::{Select, Split};
pub use compare::Comparison;
pub use entries::Entries;
pub use escape::printable;
pub use figure::{FigureResults, Line, Pick, PointResult, Rule};
pub use gather::{Report, Results};
pub use nodes::NodeResults;
pub use page::Page;
pub use paired::{Evidence, Paired, signed};
pub use picture::{PaintError, Picture};
pub use rows::{OursRow, SeedResult, TableRow};
pub use spread::Spread;
pub use tensorboard::{EventFile, event_files};

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    Text,
    /// A Markdown table.
    Md,
    /// A LaTeX tabular (booktabs).
    Latex,
    /// One line a row and seed, with every metric.
    Csv,
    /// Everything.
    Json,
}

impl Report {
    /// The report as text in `format`, with a newline at the end.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => text::render(self),
            Format::Md => markdown::render(self),
            Format::Latex => latex::render(self),
            Format::Csv => csv::render(self),
            Format::Json => json::render(self),
        }
    }
}

/// Column heads of the tables for people; the last two only where a row quotes a paper.
const HEADS: [&str; 8] =
    ["network", "net", "parameters", "accuracy %", "seeds", "training s", "paper ‡", "diff ‡"];

/// Columns of words; those after them are numbers.
const WORDS: usize = 2;

/// Mark of a row whose weights were selected on the test split.
const TEST_SELECTED: &str = "†";

/// What stands for a number that is not there.
const NOTHING: &str = "–";

/// Heads and rows of a table for people.
fn grid(table: &Results) -> (Vec<&'static str>, Vec<Vec<String>>) {
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
fn caption(table: &Results) -> String {
    let split = split_name(table.split);
    format!("{}: top-1 on the {split} split, mean ± std over seeds", table.title)
}

/// `s` unless there is exactly one.
pub fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A split, for people.
fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "training",
        Split::Validation => "validation",
        Split::Test => "test",
    }
}

/// What the figures say in words: which assistants the mean rule picks.
fn picks(report: &Report) -> Vec<String> {
    let rules = report.figures.iter().filter_map(|figure| Some((figure, figure.rule.as_ref()?)));
    rules.map(|(figure, rule)| format!("{}: {}", figure.title, rule.sentence())).collect()
}

/// What a reader of the numbers must know: the marks, and the file's own note.
fn footnotes(table: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    let ours = || table.rows.iter().filter_map(|row| row.ours.as_ref());
    let selected = |select| ours().any(|row| row.select == Some(select));
    if selected(Select::BestTest) {
        notes.push(format!("{TEST_SELECTED} the epoch was selected on the test split: optimistic"));
    }
    let fair = [
        (Select::BestValidation, "the epoch was selected on the validation split"),
        (Select::Last, "the last epoch's weights"),
    ];
    let fair: Vec<&str> =
        fair.into_iter().filter(|(select, _)| selected(*select)).map(|(_, text)| text).collect();
    if !fair.is_empty() {
        let others = if selected(Select::BestTest) { "others: " } else { "" };
        notes.push(format!("{others}{}", fair.join(", or ")));
    }
    notes.extend(table.note.clone());
    notes.extend(table.unlike());
    notes
}

/// What else can be said of a table.
fn notes(table: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    let ours = || table.rows.iter().filter_map(|row| row.ours.as_ref());
    for row in ours().filter(|row| row.teaches_at_chance()) {
        notes.push(format!(
            "warning: `{}` teaches others and is no better than guessing among {} classes",
            row.node, row.classes
        ));
    }
    let told: Vec<String> = table.comparisons.iter().filter_map(Comparison::sentence).collect();
    if !told.is_empty() {
        notes.extend(told);
        notes.push("(intervals: paired Student's t over the seeds that both have)".to_owned());
    }
    let failed: usize = ours().map(OursRow::failed).sum();
    let missing = ours().map(OursRow::missing).sum::<usize>() - failed;
    if missing > 0 {
        let (plural, them) = (plural(missing), if missing == 1 { "it" } else { "them" });
        notes.push(format!("{missing} result{plural} not in the cache: `takd run` makes {them}"));
    }
    if failed > 0 {
        let plural = plural(failed);
        notes.push(format!("{failed} result{plural} missing after a failure: see `takd status`"));
    }
    notes
}

/// `2487850` as `2,487,850`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (2_487_850, "2,487,850")] {
            assert_eq!(super::thousands(number), text);
        }
    }
}
