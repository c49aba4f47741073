//! Reading data sets: where they lie, how they are split and normalised.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    value::{Name, Table},
};
use crate::{
    dataset::{
        DataFormat, Format, Location, Normalisation,
        defaults::{data as defaults, split},
    },
    kind::Kind,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A data set whose files have not been looked at.
pub(super) struct RawData {
    pub span: Span,
    pub format: Format,
    pub validation: usize,
    pub validation_span: Span,
    /// Images held out to score trials by.
    pub scoring: usize,
    pub normalisation: Normalisation,
    pub normalisation_span: Span,
}

/// Where the paths in a pipeline start.
#[derive(Clone, Copy)]
pub(super) struct Folders<'a> {
    /// The pipeline file's: what relative paths are relative to.
    pub pipeline: &'a Path,
    /// Where fetched data sets lie.
    pub data: &'a Path,
}

/// A data set.
pub(super) fn data(
    name: &Name,
    table: &Table,
    folders: Folders<'_>,
    kinds: &[&'static Kind<dyn DataFormat>],
    errors: &mut Diagnostics,
) -> Option<RawData> {
    let mut fields = Fields::new(table, &name.span, format!("data.{}", name.text), errors);
    let format = format(name, folders, kinds, &mut fields);
    let validation_value = fields.take("validation");
    let validation = validation_value.and_then(|value| fields.whole(value, 0, u32::MAX.into()));
    let scoring = fields.take("scoring");
    let scoring = scoring.and_then(|value| fields.whole(value, 0, u32::MAX.into()));
    let mean = channels("mean", "numbers", |_| true, &mut fields);
    let std = channels("std", "numbers above 0", |s| s > 0.0, &mut fields);
    let normalisation = match (mean, std) {
        (None, None) => defaults::normalisation::value(),
        (Some(mean), Some(std)) if mean.len() == std.len() => Normalisation::Given { mean, std },
        (Some(_), Some(_)) => {
            fields.errors.push(&name.span, "`mean` and `std` need the same number of values");
            Normalisation::Measured
        }
        _ => {
            fields.errors.push(&name.span, "`mean` and `std` come together");
            Normalisation::Measured
        }
    };
    fields.finish();
    Some(RawData {
        span: name.span.clone(),
        format: format?,
        validation: validation.map_or_else(split::validation::value, |count| count as usize),
        scoring: scoring.map_or_else(split::scoring::value, |count| count as usize),
        validation_span: validation_value.map_or(&name.span, |value| &value.span).clone(),
        normalisation,
        normalisation_span: table.get("mean").map_or(&name.span, |value| &value.span).clone(),
    })
}

/// What holds the images. Of an unknown format no field is reported.
fn format(
    name: &Name,
    folders: Folders<'_>,
    kinds: &[&'static Kind<dyn DataFormat>],
    fields: &mut Fields<'_, '_>,
) -> Option<Format> {
    let words: Vec<_> = kinds.iter().map(|kind| (kind.name, *kind)).collect();
    let kind = fields.require("format").and_then(|value| fields.word(value, &words));
    let path = fields.take("path").map(|value| fields.path(value));
    refuse(kind, kinds, fields);
    let choice = fields.of_kind(kind?)?;
    let path = match (choice.location(), path) {
        (Location::BuiltIn, Some(path)) => {
            let message = format!("{} is built into takd: it takes no path", choice.chosen().kind);
            fields.errors.push(&path?.span, message);
            return None;
        }
        (Location::BuiltIn, None) => PathBuf::new(),
        (_, Some(path)) => folders.pipeline.join(path?.text),
        (Location::Data, None) => folders.data.to_owned(),
        (Location::Named, None) => folders.data.join(&name.text),
        (Location::Given(what), None) => {
            let message = format!("`data.{}` needs `path`", name.text);
            fields.errors.push_help(&name.span, message, what);
            return None;
        }
    };
    Some(Format::new(&choice, path, folders.data))
}

/// Reports fields that belong to other formats than `kind`.
fn refuse(
    kind: Option<&'static Kind<dyn DataFormat>>,
    kinds: &[&'static Kind<dyn DataFormat>],
    fields: &mut Fields<'_, '_>,
) {
    let mut seen = BTreeSet::new();
    for field in kinds.iter().flat_map(|kind| kind.fields) {
        if kind.is_some_and(|kind| kind.field(field.name).is_some()) || !seen.insert(field.name) {
            continue;
        }
        let (Some(value), Some(_)) = (fields.take(field.name), kind) else { continue };
        let takes = kinds.iter().filter(|kind| kind.field(field.name).is_some());
        let takes: Vec<&str> = takes.map(|kind| kind.name).collect();
        let who = match takes.as_slice() {
            [one] => format!("{one} takes"),
            [first @ .., last] => format!("{} and {last} take", first.join(", ")),
            [] => continue,
        };
        fields.errors.push(&value.span, format!("only {who} `{}`", field.name));
    }
}

fn channels(
    key: &'static str,
    want: &str,
    ok: impl Fn(f64) -> bool + Copy,
    fields: &mut Fields<'_, '_>,
) -> Option<Vec<f64>> {
    let value = fields.take(key)?;
    let items = fields.array(value, want);
    Some(items.iter().filter_map(|item| fields.number(item, want, ok)).collect())
}
