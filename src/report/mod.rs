//! Tables of results, from the cache alone: nothing is trained here, and a missing result is shown
//! as missing.

mod csv;
mod gather;
mod json;
mod markdown;
mod spread;
mod text;

pub use gather::{Report, Results, SeedResult, TableRow};
pub use spread::Spread;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    Text,
    /// A Markdown table.
    Md,
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
            Format::Csv => csv::render(self),
            Format::Json => json::render(self),
        }
    }
}

/// Column heads of the tables for people, in order.
const HEADS: [&str; 6] = ["network", "net", "parameters", "accuracy %", "seeds", "training s"];

/// Mark of a row whose weights were selected on the test split.
const TEST_SELECTED: &str = "†";

/// What stands under a table with such a row.
const TEST_SELECTED_NOTE: &str = "† the epoch was selected on the test split: optimistic";

/// A row's cells under [`HEADS`].
fn cells(row: &TableRow) -> [String; 6] {
    let mark = if row.test_selected { TEST_SELECTED } else { "" };
    let accuracy = row.accuracy().map_or("–".to_owned(), |spread| spread.percent());
    let measured = row.seeds.iter().filter(|seed| seed.metrics.is_some()).count();
    let seconds = row.seconds().map_or("–".to_owned(), |spread| format!("{:.1}", spread.mean));
    [
        row.label.clone(),
        row.net.clone(),
        thousands(row.parameters),
        format!("{accuracy}{mark}"),
        if measured == row.seeds.len() {
            measured.to_string()
        } else {
            format!("{measured} of {}", row.seeds.len())
        },
        seconds,
    ]
}

/// What stands above and below a table.
fn caption(table: &Results) -> String {
    let split = match table.split {
        crate::config::Split::Train => "training",
        crate::config::Split::Validation => "validation",
        crate::config::Split::Test => "test",
    };
    format!("{}: top-1 on the {split} split, mean ± std over seeds", table.title)
}

fn notes(table: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    if table.rows.iter().any(|row| row.test_selected) {
        notes.push(TEST_SELECTED_NOTE.to_owned());
    }
    let missing: usize = table.rows.iter().map(TableRow::missing).sum();
    if missing > 0 {
        let plural = if missing == 1 { "" } else { "s" };
        notes.push(format!("{missing} result{plural} not in the cache: `takd run` makes them"));
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
