//! What stands below tables: the marks, the comparisons, and what is missing.

use super::deltas;
use crate::{
    column::Column,
    footprint::Footprint,
    recipe::Select,
    report::{
        ChoiceResults, MeasuredRow, Report, Results, SearchResults, TEST_SELECTED,
        decisions::trials, plural,
    },
};

/// What the figures say in words.
pub(super) fn told(report: &Report) -> Vec<String> {
    let told = report
        .figures
        .iter()
        .map(|figure| figure.told().into_iter().map(|told| format!("{}: {told}", figure.title)));
    told.flatten().collect()
}

/// What searches and choices have found, in lines.
pub(super) fn decisions(report: &Report) -> Vec<String> {
    let searches = report.searches.iter().flat_map(SearchResults::sentences);
    let choices = report.choices.iter().map(ChoiceResults::sentence);
    searches.chain(choices).chain(trials(&report.choices)).collect()
}

/// What a reader of the numbers must know: the marks, and the file's own note.
pub(super) fn footnotes(table: &Results) -> Vec<String> {
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
    let searched = |as_published: bool| {
        let rows = ours().filter_map(|row| row.searched.as_ref());
        let mut told: Vec<String> = rows
            .filter(|searched| searched.as_published == as_published)
            .map(|searched| searched.how.clone())
            .collect();
        told.dedup();
        told
    };
    for how in searched(true) {
        notes.push(format!("{TEST_SELECTED} {how}: optimistic"));
    }
    notes.extend(searched(false));
    notes.extend(takes(table));
    notes.extend(deltas::footnotes(table));
    notes.extend(table.note.clone());
    notes.extend(table.unlike());
    notes
}

/// What the sizes are of, which machine the latencies are from, and what a mistake's share is of.
fn takes(table: &Results) -> Vec<String> {
    let shows = |what| table.columns.iter().any(|column| column.footprint() == Some(what));
    let mut notes = Vec::new();
    let sizes = match (shows(Footprint::Size), shows(Footprint::SizeInt8)) {
        (true, true) => "size: the weights as safetensors; int8: the network in 8 bits as ONNX",
        (true, false) => "size: the weights as safetensors",
        (false, true) => "int8: the network in 8 bits as ONNX",
        (false, false) => "",
    };
    if !sizes.is_empty() {
        notes.push(format!("{sizes}; 1 kB is 1,000 bytes"));
    }
    if table.columns.contains(&Column::Confusion) {
        notes.push(
            "most often mistaken: of all seeds, with its share of the class's images".to_owned(),
        );
    }
    let rows = table.rows.iter().filter_map(|row| row.ours.as_ref());
    if let Some(latency) = rows.filter_map(|row| row.takes.latency.as_ref()).next() {
        let mut note = format!(
            "latency: the median time for one image at a time, on one thread of {}",
            latency.cpu
        );
        if table.columns.contains(&Column::ImagesPerSecond) {
            note += "; images/s is its inverse";
        }
        notes.push(note);
    }
    notes
}

/// What else can be said of a table.
pub(super) fn notes(table: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    let ours = || table.rows.iter().filter_map(|row| row.ours.as_ref());
    if !table.uncounted.is_empty() {
        let evals: String = table.uncounted.iter().map(|name| format!(" --force {name}")).collect();
        notes.push(format!(
            "measured before answers were counted by class: `takd run{evals}` counts them"
        ));
    }
    for row in ours().filter(|row| row.teaches_at_chance()) {
        notes.push(format!(
            "warning: `{}` is a teacher and is no better than guessing among {} classes",
            row.node, row.classes
        ));
    }
    let failed: usize = ours().map(MeasuredRow::failed).sum();
    let missing = ours().map(MeasuredRow::missing).sum::<usize>() - failed;
    let shows_latency =
        table.columns.iter().any(|column| column.footprint() == Some(Footprint::Latency));
    let untimed = ours().filter(|row| row.takes.latency.is_none() && row.missing() == 0).count();
    if shows_latency && untimed > 0 {
        let plural = plural(untimed);
        notes.push(format!(
            "{untimed} row{plural} without a latency on this machine's CPU: `takd run` measures it"
        ));
    }
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
