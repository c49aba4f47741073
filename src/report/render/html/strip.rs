//! A small picture in each row of a table.

use crate::report::{Results, TableRow};
use maud::{Markup, html};

/// For each row, its accuracy with its error bar and the paper's, on one scale per table. The numbers
/// stand in the row, so a screen reader passes over it.
pub(super) fn strips(table: &Results) -> Vec<Markup> {
    let ours = |row: &TableRow| -> Option<(f64, f64)> {
        let spread = row.ours.as_ref()?.accuracy()?;
        Some((spread.mean * 100.0, spread.std.unwrap_or(0.0) * 100.0))
    };
    let ends = table.rows.iter().flat_map(|row| {
        let ours = ours(row).map(|(mean, std)| [mean - std, mean + std]);
        ours.into_iter().flatten().chain(row.paper)
    });
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = (high - low).max(0.1);
    let x = |value: f64| ((value - low) / room * 144.0 + 8.0).round();
    let bar = |(mean, std): (f64, f64)| {
        let (from, to) = (x(mean - std), x(mean + std));
        format!("M{from} 6V14M{from} 10H{to}M{to} 6V14")
    };
    let strip = |row| {
        html! {
            svg width="160" height="20" viewBox="0 0 160 20" aria-hidden="true" {
                line.faint x1="4" x2="156" y1="10" y2="10" {}
                @if let Some(ours) = ours(row) {
                    path.s0 fill="none" stroke-width="1.5" d=(bar(ours)) {}
                    circle.s0.f-s0 cx=(x(ours.0)) cy="10" r="3.5" {}
                }
                @if let Some(paper) = row.paper {
                    circle.s1.f-ground stroke-width="1.6" cx=(x(paper)) cy="10" r="4" {}
                }
            }
        }
    };
    table.rows.iter().map(strip).collect()
}
