//! Tables for people: their columns, their cells and their captions.

use super::deltas;
use crate::{
    column::{Column, class_name},
    footprint::Footprint,
    metric::{Answers, Metric, Unit},
    report::{
        MeasuredRow, NOTHING, Results, Spread, TEST_SELECTED, TableRow, signed, split_name,
        thousands,
    },
};

/// A table as texts.
pub(super) struct Grid {
    /// Above the columns.
    pub heads: Vec<Head>,
    /// As many cells in each as there are heads.
    pub rows: Vec<Vec<String>>,
}

/// The head of a column.
pub(super) struct Head {
    pub text: String,
    /// Whether the column holds words; numbers stand to the right.
    pub is_words: bool,
}

impl Head {
    pub fn new(text: impl Into<String>, is_words: bool) -> Self {
        Self { text: text.into(), is_words }
    }
}

/// A table with the columns that it asks for, and with those of quoted values where it has any.
pub(super) fn grid(table: &Results) -> Grid {
    let compares =
        |column: &Column| !matches!(column, Column::Delta) || !table.comparisons.is_empty();
    let columns: Vec<Column> = table.columns.iter().copied().filter(compares).collect();
    let mut heads = vec![Head::new("network", true)];
    heads.extend(
        columns.iter().map(|column| Head::new(column.head(&table.classes), column.is_words())),
    );
    if table.quotes() {
        heads.extend(["paper ‡", "diff ‡"].map(|head| Head::new(head, false)));
    }
    let rows = table.rows.iter().enumerate().map(|(place, row)| {
        let mut cells = vec![row.label.clone()];
        cells.extend(columns.iter().map(|&column| match &row.ours {
            Some(_) if matches!(column, Column::Delta) => deltas::cell(table, place),
            Some(ours) => cell(ours, column, table),
            None => NOTHING.to_owned(),
        }));
        if table.quotes() {
            cells.extend(quoted(row));
        }
        cells
    });
    let rows = rows.collect();
    Grid { heads, rows }
}

fn cell(row: &MeasuredRow, column: Column, table: &Results) -> String {
    match column {
        Column::Net => row.net.clone(),
        Column::Footprint(what) => footprint(row, what),
        Column::ImagesPerSecond => {
            row.images_per_second().map_or_else(|| NOTHING.to_owned(), significant)
        }
        Column::Metric(metric) => {
            let first = table.columns.iter().find_map(|column| match column {
                Column::Metric(metric) => Some(metric.name),
                _ => None,
            });
            let marked = row.is_test_selected() && first == Some(metric.name);
            format!("{}{}", measured(row, metric), if marked { TEST_SELECTED } else { "" })
        }
        // The first stands for several of the second; the last is of a row, not of its network.
        Column::PerClass | Column::Delta => NOTHING.to_owned(),
        Column::Class(class) => {
            row.accuracy_of(class).map_or_else(|| NOTHING.to_owned(), |spread| spread.percent())
        }
        Column::Confusion => confusion(row, &table.classes),
        Column::Seeds => {
            let (measured, seeds) = (row.seeds.len() - row.missing(), row.seeds.len());
            if measured == seeds { measured.to_string() } else { format!("{measured} of {seeds}") }
        }
        Column::Seconds => {
            row.seconds().map_or_else(|| NOTHING.to_owned(), |spread| format!("{:.1}", spread.mean))
        }
        Column::Step => row.step().map_or_else(|| NOTHING.to_owned(), |step| format!("{step:.1}")),
        Column::Cost => cost(row, &table.rows),
    }
}

/// `Shirt as Coat, 12.5 %`.
fn confusion(row: &MeasuredRow, classes: &[String]) -> String {
    let Some((right, answer, share)) = row.answers.as_ref().and_then(Answers::worst) else {
        return NOTHING.to_owned();
    };
    let [right, answer] = [right, answer].map(|class| class_name(classes, class));
    format!("{right} as {answer}, {:.1} %", share * 100.0)
}

fn footprint(row: &MeasuredRow, what: Footprint) -> String {
    let Some(number) = row.footprint(what) else { return NOTHING.to_owned() };
    match what {
        Footprint::Parameters | Footprint::MultiplyAdds => thousands(number as usize),
        Footprint::Size | Footprint::SizeInt8 | Footprint::Latency => {
            significant(what.shown(number))
        }
    }
}

/// Three significant digits, and all that stand before the point.
fn significant(number: f64) -> String {
    if number >= 99.95 {
        return thousands(number.round() as usize);
    }
    Spread { mean: number, std: None, n: 1 }.significant(3)
}

/// A step's time over that of the first row that learns the same network by plain `kd`.
fn cost(row: &MeasuredRow, rows: &[TableRow]) -> String {
    let by_kd = |other: &&MeasuredRow| {
        other.net == row.net && other.objective.as_deref() == Some("kd") && other.step().is_some()
    };
    let kd = rows.iter().filter_map(|row| row.ours.as_ref()).find(by_kd);
    let ratio = row.step().zip(kd.and_then(MeasuredRow::step)).map(|(own, kd)| own / kd);
    ratio.map_or_else(|| NOTHING.to_owned(), |ratio| format!("{ratio:.2}"))
}

/// A metric over the seeds that are measured.
fn measured(row: &MeasuredRow, metric: &Metric) -> String {
    let metrics = row.seeds.iter().filter_map(|seed| seed.metrics.as_ref());
    let values: Vec<f64> = metrics.filter_map(|metrics| metrics.get(metric.name)).collect();
    match (Spread::of(&values), metric.unit) {
        (Some(spread), Unit::Share) => spread.percent(),
        (Some(spread), Unit::Nats) => spread.scaled(1.0, 3),
        (Some(spread), Unit::Number) => spread.significant(3),
        (None, _) => NOTHING.to_owned(),
    }
}

/// The published accuracy, and ours less it.
fn quoted(row: &TableRow) -> [String; 2] {
    let nothing = || NOTHING.to_owned();
    let accuracy = row.ours.as_ref().and_then(|ours| ours.accuracy());
    let difference = accuracy.zip(row.paper).map(|(spread, paper)| spread.mean * 100.0 - paper);
    [
        row.paper.map_or_else(nothing, |paper| format!("{paper:.2}")),
        difference.map_or_else(nothing, signed),
    ]
}

/// What stands above a table.
pub(super) fn caption(table: &Results) -> String {
    let split = split_name(table.split);
    let mut metrics = table.columns.iter().filter_map(|column| match column {
        Column::Metric(metric) => Some(metric.title),
        _ => None,
    });
    let what = match (metrics.next(), metrics.next()) {
        (Some(only), None) => format!("{only} on"),
        _ => "on".to_owned(),
    };
    format!("{}: {what} the {split} split, mean ± std over seeds", table.title)
}
