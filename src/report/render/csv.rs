//! One line per row and seed (RFC 4180), for whatever reads tables.

use super::ReportFormat;
use crate::{
    column::{Column, class_name},
    footprint::Footprint,
    metric::METRICS,
    report::{
        Evidence, Report, Results,
        csv_file::{CsvFile, cell, number},
    },
};

pub(super) static CSV: ReportFormat = ReportFormat {
    name: "csv",
    endings: &["csv"],
    doc: "One line per row and seed, with every metric",
    shows_nodes: false,
    render: |contents| render(contents.report),
};

fn render(report: &Report) -> String {
    let head = "table split label paper node net parameters multiply_adds size size_int8 latency \
                images_per_second cpu test_selected seed key";
    let tail = "samples train_seconds selected_epoch baseline delta delta_low delta_high delta_p \
                delta_p_adjusted delta_seeds note paper_note";
    let metrics = METRICS.iter().map(|metric| metric.name);
    let classes = classes(report);
    let named = |class: &String| cell(&format!("class:{class}"));
    let by_class: Vec<String> = classes.iter().map(named).collect();
    let (tail, notes) = tail.split_at(tail.len() - " note paper_note".len());
    let head = head.split(' ').chain(metrics).chain(tail.split(' '));
    let head = head.chain(by_class.iter().map(String::as_str)).chain(notes.trim().split(' '));
    let head: Vec<&str> = head.collect();
    let mut file = CsvFile::new(&head);
    for table in &report.tables {
        let split = table.split.name().to_owned();
        for (place, row) in table.rows.iter().enumerate() {
            let compared = compared(table, place);
            let quoted = table.paper_note.as_deref().filter(|_| row.paper.is_some());
            let notes = [table.note.as_deref(), quoted].map(|note| cell(note.unwrap_or_default()));
            let first = [cell(&table.title), split.clone(), cell(&row.label), number(row.paper)];
            let Some(ours) = &row.ours else {
                let nothing = vec![String::new(); head.len() - first.len() - notes.len()];
                file.line(first.into_iter().chain(nothing).chain(notes));
                continue;
            };
            for seed in &ours.seeds {
                let metrics = seed.metrics.as_ref();
                let count = |value: Option<usize>| value.map(|v| v.to_string()).unwrap_or_default();
                let network = [
                    cell(&ours.node),
                    cell(&ours.net),
                    ours.parameters.to_string(),
                    ours.multiply_adds.to_string(),
                    number(ours.footprint(Footprint::Size)),
                    number(ours.footprint(Footprint::SizeInt8)),
                    number(ours.footprint(Footprint::Latency)),
                    number(ours.images_per_second()),
                    cell(ours.takes.latency.as_ref().map_or("", |latency| &latency.cpu)),
                    ours.is_test_selected().to_string(),
                    seed.seed.to_string(),
                    seed.key.to_string(),
                ];
                let measured =
                    METRICS.iter().map(|metric| number(metrics.and_then(|m| m.get(metric.name))));
                let making = [
                    count(metrics.map(|m| m.samples)),
                    number(seed.seconds),
                    count(seed.selected_epoch),
                ];
                let fields = first.iter().cloned().chain(network).chain(measured).chain(making);
                let of_class = |class: &String| {
                    let mut shown = table.columns.iter().filter_map(|column| match column {
                        Column::Class(number) => Some(*number),
                        _ => None,
                    });
                    let number =
                        shown.find(|&number| class_name(&table.classes, number) == *class)?;
                    seed.answers.as_ref()?.accuracy_of(number)
                };
                let by_class = classes.iter().map(|class| number(of_class(class)));
                let fields = fields.chain(compared.clone()).chain(by_class);
                file.line(fields.chain(notes.clone()));
            }
        }
    }
    file.text()
}

/// Names of all classes whose accuracy a table shows.
fn classes(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    for table in &report.tables {
        for column in &table.columns {
            if let Column::Class(number) = column {
                let name = class_name(&table.classes, *number);
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        }
    }
    found
}

/// What a row is compared with, the difference in percentage points, its interval, p and seeds.
fn compared(table: &Results, row: usize) -> [String; 7] {
    let found = table.comparisons.iter().find(|comparison| comparison.row == row);
    let Some((found, difference)) = found.and_then(|found| Some((found, found.difference?))) else {
        return Default::default();
    };
    let [low, high, p] = match difference.evidence {
        Evidence::Interval { low, high, p } => [low, high, p].map(Some),
        Evidence::OneSeed | Evidence::NoSpread => [None; 3],
    };
    [
        cell(&found.baseline),
        number(Some(difference.mean)),
        number(low),
        number(high),
        number(p),
        number(found.adjusted_p),
        difference.n.to_string(),
    ]
}
