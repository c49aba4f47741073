//! The column of TAKD against BLKD, and what stands below about it.

use crate::{
    pipeline::Adjust,
    report::{Comparison, Evidence, NOTHING, Results, TO_SEE, plural, signed},
};

/// Mark of a difference whose adjusted p is below 5 %.
const SIGNIFICANT: &str = "*";

/// A row's difference with its interval.
pub(super) fn cell(table: &Results, row: usize) -> String {
    let found = table.comparisons.iter().find(|comparison| comparison.row == row);
    let Some((comparison, difference)) = found.and_then(|c| Some((c, c.difference?))) else {
        return NOTHING.to_owned();
    };
    let mark = if comparison.is_significant() { SIGNIFICANT } else { "" };
    let mean = signed(difference.mean);
    match difference.evidence {
        Evidence::OneSeed | Evidence::NoSpread => format!("{mean} [{NOTHING}]"),
        Evidence::Interval { low, high, .. } => {
            format!("{mean} [{}, {}]{mark}", signed(low), signed(high))
        }
    }
}

/// What the column is, and what it would take to see more; nothing where it says nothing.
pub(super) fn footnotes(table: &Results) -> Vec<String> {
    let told = || table.comparisons.iter().filter(|comparison| comparison.difference.is_some());
    let shown = table.columns.iter().any(|column| column.name() == "delta");
    if !shown || told().next().is_none() {
        return Vec::new();
    }
    let count = told().count();
    let mut baselines: Vec<&str> = told().map(|found| found.baseline_label.as_str()).collect();
    baselines.dedup();
    let over = match baselines.as_slice() {
        [only] => format!("points over `{only}`, {count} comparison{}", plural(count)),
        _ => {
            let pair =
                |found: &Comparison| format!("`{}` over `{}`", found.label, found.baseline_label);
            format!("points of {}", told().map(pair).collect::<Vec<_>>().join(", "))
        }
    };
    let tested = told().filter(|found| found.adjusted_p.is_some()).count();
    let how = match table.adjust {
        _ if tested < 2 => String::new(),
        Adjust::None => ", not adjusted".to_owned(),
        Adjust::Holm => format!(", adjusted over {tested} by Holm (1979)"),
        Adjust::Bh => format!(", adjusted over {tested} by Benjamini & Hochberg (1995)"),
    };
    let mut note = format!(
        "Δ: {over}; [ ]: the 95 % interval of paired Student's t over the seeds that both have, of each alone"
    );
    if tested > 0 {
        note += &format!("; {SIGNIFICANT} p < 0.05{how}");
    }
    if tested < count {
        note += &format!("; [{NOTHING}]: one seed, or no spread, gives no interval");
    }
    let mut notes = vec![note];
    notes.extend(power(
        told().filter(|found| found.adjusted_p.is_some() && !found.is_significant()),
    ));
    notes
}

/// With how many seeds differences that are not significant would be seen.
fn power<'a>(unsure: impl Iterator<Item = &'a Comparison>) -> Option<String> {
    let seeds = |found: &Comparison| match found.seeds_to_see {
        Some(seeds) => format!("about {seeds} seeds"),
        None => "over 100,000 seeds".to_owned(),
    };
    let unsure: Vec<&Comparison> = unsure.collect();
    let needs = match unsure.as_slice() {
        [] => return None,
        [only] => seeds(only),
        [_, _] | [_, _, _] => {
            let each = unsure.iter().map(|found| format!("{} {}", found.label, seeds(found)));
            each.collect::<Vec<_>>().join(", ")
        }
        _ => {
            let many = |found: &&&Comparison| found.seeds_to_see.unwrap_or(usize::MAX);
            let (least, most) = (unsure.iter().min_by_key(many)?, unsure.iter().max_by_key(many)?);
            format!("from {} to {}", seeds(least), seeds(most))
        }
    };
    Some(format!(
        "not significant is not alike: to see {TO_SEE} points takes {needs} (at 5 % on both sides, power 80 %, \
         by the spread of these few)"
    ))
}
