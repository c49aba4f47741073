//! Reading `[figure.NAME]`.

use super::Quantity;
use crate::{
    footprint::Footprint,
    metric::{METRICS, Metric},
    pipeline::{
        diagnostic::{Diagnostics, Span},
        fields::Fields,
        names,
        value::{Kind, Name, Table, Value},
    },
};

/// A figure as it is written.
pub(in crate::pipeline) struct RawFigure {
    pub(super) name: Name,
    pub(super) title: Option<String>,
    pub(super) x: Option<Name>,
    pub(super) y: Option<String>,
    pub(super) note: Option<String>,
    pub(super) gain: Option<(Quantity, Span)>,
    pub(super) eval: Option<Name>,
    /// Empty where every measured network is meant.
    pub(super) series: Vec<RawSeries>,
    pub(super) mean_rule: Option<(Name, Name, Span)>,
    pub(super) places: RawPlaces,
}

/// What places points.
pub(super) enum RawPlaces {
    Numbers,
    Teachers(RawTeachers),
    Footprint(Footprint),
}

/// `{ metric = "entropy", eval = "on-training" }`.
pub(super) struct RawTeachers {
    pub(super) metric: &'static Metric,
    pub(super) eval: Option<Name>,
}

pub(super) struct RawSeries {
    pub(super) label: String,
    pub(super) points: Vec<RawPoint>,
}

pub(super) struct RawPoint {
    pub(super) span: Span,
    /// Nothing where a measure places it.
    pub(super) x: Option<f64>,
    pub(super) node: Option<Name>,
    pub(super) over: Option<Name>,
    pub(super) paper: Option<f64>,
}

pub(in crate::pipeline) fn read(
    name: &Name,
    table: &Table,
    errors: &mut Diagnostics,
) -> Option<RawFigure> {
    if !names::is_valid(&name.text) {
        let message = format!("`{}` is not a valid figure name", name.text.escape_debug());
        errors.push_help(&name.span, message, "it names files: use letters, digits and - _ . + =");
    }
    let mut fields = Fields::new(table, &name.span, format!("figure.{}", name.text), errors);
    let [title, y, note] = ["title", "y", "note"].map(|key| fields.text(key));
    let words = [("points", Quantity::GainPoints), ("percent", Quantity::GainPercent)];
    let gain = fields.take("gain");
    let gain = gain.and_then(|value| Some((fields.word(value, &words)?, value.span.clone())));
    // Ten times an accuracy is a gain of 900 %.
    let most = if matches!(gain, Some((Quantity::GainPercent, _))) { 1e6 } else { 100.0 };
    let (teachers_value, pareto_value) = (fields.take("teachers"), fields.take("pareto"));
    let by = match (teachers_value, pareto_value) {
        (None, None) => By::Numbers,
        (Some(_), None) => By::Teachers,
        (None, Some(_)) => By::Footprint,
        (Some(_), Some(value)) => {
            let message = "points stand by `teachers` or by `pareto`, not by both";
            fields.errors.push(&value.span, message);
            By::Teachers
        }
    };
    let x = if by == By::Numbers { fields.require("x") } else { fields.take("x") };
    let x = x.map(|value| fields.string(value));
    let eval = fields.take("eval").and_then(|value| fields.string(value));
    let series_value =
        if by == By::Footprint { fields.take("series") } else { fields.require("series") };
    let series: Vec<RawSeries> = series_value.map_or(Vec::new(), |value| {
        let items = fields.array(value, "series");
        items.iter().filter_map(|item| series(item, most, by, &mut fields)).collect()
    });
    let words = Footprint::ALL.map(|what| (what.name(), what));
    let places = match (teachers_value, pareto_value) {
        (None, None) => Some(RawPlaces::Numbers),
        (Some(value), _) => teachers(value, &mut fields).map(RawPlaces::Teachers),
        (None, Some(value)) => fields.word(value, &words).map(RawPlaces::Footprint),
    };
    let mean_rule = fields.take("mean_rule").and_then(|value| mean_rule(value, &mut fields));
    if let Some(value) = series_value
        && matches!(&value.kind, Kind::Array(items) if items.is_empty())
    {
        fields.errors.push(&value.span, "a figure needs at least one series");
    }
    fields.finish();
    // What was written wrong has been reported.
    let (name, places) = (name.clone(), places?);
    let x = x.map_or_else(|| (by != By::Numbers).then_some(None), |read| read.map(Some))?;
    Some(RawFigure { name, title, x, y, note, gain, eval, series, mean_rule, places })
}

/// Which of the [`RawPlaces`] a figure has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Numbers,
    Teachers,
    Footprint,
}

/// A value as a table to read, or an error.
fn inner<'v>(value: &'v Value, fields: &mut Fields<'_, '_>, want: &str) -> Option<&'v Table> {
    let Kind::Table(table) = &value.kind else {
        fields.wrong_type(value, want);
        return None;
    };
    Some(table)
}

fn series(value: &Value, most: f64, by: By, fields: &mut Fields<'_, '_>) -> Option<RawSeries> {
    let table = inner(value, fields, "a table with `label` and `points`")?;
    let mut inner = Fields::new(table, &value.span, "series", fields.errors);
    let label = inner.require("label").and_then(|value| inner.string(value));
    let points = inner.require("points").map_or(Vec::new(), |value| {
        let items = inner.array(value, "points");
        if matches!(&value.kind, Kind::Array(items) if items.is_empty()) {
            inner.errors.push(&value.span, "a series needs at least one point");
        }
        items.iter().filter_map(|item| point(item, most, by, &mut inner)).collect()
    });
    inner.finish();
    Some(RawSeries { label: label?.text, points })
}

/// `{ x = 4, node = "student4", over = "scratch4", paper = 1.5 }`; `paper` is at most `most`, and there is
/// no `x` where points stand by a measure.
fn point(value: &Value, most: f64, by: By, fields: &mut Fields<'_, '_>) -> Option<RawPoint> {
    let want = match by {
        By::Numbers => "`x` and `node`",
        By::Teachers => "`node` and `over`",
        By::Footprint => "`node`",
    };
    let table = inner(value, fields, &format!("a table with {want}"))?;
    let mut inner = Fields::new(table, &value.span, "point", fields.errors);
    let x = if by == By::Numbers { inner.require("x") } else { inner.take("x") };
    let x = match (x, by) {
        (Some(value), By::Teachers) => {
            inner.errors.push(&value.span, "its teacher's measure says where the point stands");
            None
        }
        (Some(value), By::Footprint) => {
            inner.errors.push(&value.span, "its network says where the point stands");
            None
        }
        (None, By::Teachers | By::Footprint) => Some(None),
        (value, By::Numbers) => {
            value.and_then(|value| inner.number(value, "a number", |_| true)).map(Some)
        }
    };
    let mut own = |key: &'static str| {
        if by != By::Footprint {
            return inner.take(key);
        }
        let message = format!("`{key}` has no place in a figure of what networks take");
        inner.refuse(key, &message, "its points are `{ node }`: accuracies of your own");
        None
    };
    let (over, paper) = (own("over"), own("paper"));
    let node = inner.take("node").map(|value| inner.string(value));
    let over = over.map(|value| inner.string(value));
    let paper = paper.map(|value| {
        inner.number(value, "percent or percentage points", |p| (-100.0..=most).contains(&p))
    });
    match (&node, &over, &paper) {
        (None, ..) if by != By::Numbers => inner.errors.push(&value.span, "`point` needs `node`"),
        (None, None, None) => {
            let help = "or `paper`, for a point that only quotes";
            inner.errors.push_help(&value.span, "`point` needs `node`", help);
        }
        (None, Some(_), _) => inner.errors.push(&value.span, "`over` needs `node`"),
        _ => {}
    }
    inner.finish();
    let (node, over, paper) = (node.flatten(), over.flatten(), paper.flatten());
    Some(RawPoint { span: value.span.clone(), x: x?, node, over, paper })
}

fn teachers(value: &Value, fields: &mut Fields<'_, '_>) -> Option<RawTeachers> {
    let table = inner(value, fields, "a table with `metric`")?;
    let mut inner = Fields::new(table, &value.span, "teachers", fields.errors);
    let words = METRICS.map(|metric| (metric.name, metric));
    let metric = inner.require("metric").and_then(|value| inner.word(value, &words));
    let eval = inner.take("eval").and_then(|value| inner.string(value));
    inner.finish();
    Some(RawTeachers { metric: metric?, eval })
}

fn mean_rule(value: &Value, fields: &mut Fields<'_, '_>) -> Option<(Name, Name, Span)> {
    let table = inner(value, fields, "a table with `teacher` and `student`")?;
    let mut inner = Fields::new(table, &value.span, "mean_rule", fields.errors);
    let [teacher, student] =
        ["teacher", "student"].map(|key| inner.require(key).and_then(|value| inner.string(value)));
    inner.finish();
    Some((teacher?, student?, value.span.clone()))
}
