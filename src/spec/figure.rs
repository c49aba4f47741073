//! Figures: measured networks as points over a number, with the paper's points beside them.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    names,
    pipeline::{Eval, Ours},
    raw::RawEval,
    resolve::Resolver,
    value::{Kind, Name, Table, Value},
};
use crate::config::Split;
use serde::Serialize;

/// A figure of results.
#[derive(Debug)]
pub struct Figure {
    /// Names its files.
    pub name: String,
    /// Drawn above it.
    pub title: String,
    /// Label of the horizontal axis.
    pub x: String,
    /// Label of the vertical axis.
    pub y: String,
    /// What its values are.
    pub quantity: Quantity,
    /// Printed below it.
    pub note: Option<String>,
    /// The measured split.
    pub split: Split,
    /// Lines of points, at least one.
    pub series: Vec<Series>,
    /// Whose mean is drawn as a line, and picks an assistant.
    pub mean_rule: Option<MeanRule>,
}

/// What a figure's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Top-1 accuracies, in percent.
    Accuracy,
    /// Differences of accuracies, in percentage points.
    GainPoints,
    /// The same in percent of the accuracy that is exceeded, as the paper's figure 3 has them.
    GainPercent,
}

/// A line of points.
#[derive(Debug)]
pub struct Series {
    /// For the legend.
    pub label: String,
    /// In the order of `x`.
    pub points: Vec<Point>,
}

/// A point.
#[derive(Debug)]
pub struct Point {
    /// Where it stands.
    pub x: f64,
    /// What takd has of it; nothing in a point that only quotes.
    pub ours: Option<Measure>,
    /// The published value, in the figure's quantity.
    pub paper: Option<f64>,
}

/// What a point shows.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// A network's top-1 accuracy.
    Accuracy(Ours),
    /// By how much one network's top-1 accuracy exceeds another's, seed by seed.
    Gain {
        /// The one.
        of: Ours,
        /// The other.
        over: Ours,
    },
}

/// The paper's rule: of the figure's networks between the two, the best assistant is the one whose
/// own accuracy is nearest to the mean of the teacher's and the student's.
#[derive(Clone, Copy, Debug)]
pub struct MeanRule {
    /// The teacher.
    pub teacher: Ours,
    /// The student, trained without a teacher.
    pub student: Ours,
}

pub(super) struct RawFigure {
    name: Name,
    title: Option<String>,
    x: Name,
    y: Option<String>,
    note: Option<String>,
    gain: Option<(Quantity, Span)>,
    eval: Option<Name>,
    series: Vec<RawSeries>,
    mean_rule: Option<(Name, Name, Span)>,
}

struct RawSeries {
    label: String,
    points: Vec<RawPoint>,
}

struct RawPoint {
    span: Span,
    x: f64,
    node: Option<Name>,
    over: Option<Name>,
    paper: Option<f64>,
}

pub(super) fn read(name: &Name, table: &Table, errors: &mut Diagnostics) -> Option<RawFigure> {
    if !names::is_valid(&name.text) {
        let message = format!("`{}` is no name for a figure", name.text.escape_debug());
        errors.push_help(&name.span, message, "it names files: use letters, digits and - _ . + =");
    }
    let mut fields = Fields::new(table, &name.span, format!("figure.{}", name.text), errors);
    let [title, y, note] = ["title", "y", "note"].map(|key| fields.text(key));
    let words = [("points", Quantity::GainPoints), ("percent", Quantity::GainPercent)];
    let gain = fields.take("gain");
    let gain = gain.and_then(|value| Some((fields.word(value, &words)?, value.span.clone())));
    // Ten times an accuracy is a gain of 900 %.
    let most = if matches!(gain, Some((Quantity::GainPercent, _))) { 1e6 } else { 100.0 };
    let x = fields.require("x").and_then(|value| fields.string(value));
    let eval = fields.take("eval").and_then(|value| fields.string(value));
    let series_value = fields.require("series");
    let series: Vec<RawSeries> = series_value.map_or(Vec::new(), |value| {
        let items = fields.array(value, "series");
        items.iter().filter_map(|item| series(item, most, &mut fields)).collect()
    });
    let mean_rule = fields.take("mean_rule").and_then(|value| mean_rule(value, &mut fields));
    if let Some(value) = series_value
        && matches!(&value.kind, Kind::Array(items) if items.is_empty())
    {
        fields.errors.push(&value.span, "a figure needs at least one series");
    }
    fields.finish();
    Some(RawFigure { name: name.clone(), title, x: x?, y, note, gain, eval, series, mean_rule })
}

/// A value as a table to read, or an error.
fn inner<'v>(value: &'v Value, fields: &mut Fields<'_, '_>, want: &str) -> Option<&'v Table> {
    let Kind::Table(table) = &value.kind else {
        fields.wrong_type(value, want);
        return None;
    };
    Some(table)
}

fn series(value: &Value, most: f64, fields: &mut Fields<'_, '_>) -> Option<RawSeries> {
    let table = inner(value, fields, "a table with `label` and `points`")?;
    let mut inner = Fields::new(table, &value.span, "series", fields.errors);
    let label = inner.require("label").and_then(|value| inner.string(value));
    let points = inner.require("points").map_or(Vec::new(), |value| {
        let items = inner.array(value, "points");
        if matches!(&value.kind, Kind::Array(items) if items.is_empty()) {
            inner.errors.push(&value.span, "a series needs at least one point");
        }
        items.iter().filter_map(|item| point(item, most, &mut inner)).collect()
    });
    inner.finish();
    Some(RawSeries { label: label?.text, points })
}

/// `{ x = 4, node = "student4", over = "scratch4", paper = 1.5 }`; `paper` is at most `most`.
fn point(value: &Value, most: f64, fields: &mut Fields<'_, '_>) -> Option<RawPoint> {
    let table = inner(value, fields, "a table with `x` and `node`")?;
    let mut inner = Fields::new(table, &value.span, "point", fields.errors);
    let x = inner.require("x").and_then(|value| inner.number(value, "a number", |_| true));
    let [node, over] = ["node", "over"].map(|key| inner.take(key).map(|value| inner.string(value)));
    let paper = inner.take("paper").map(|value| {
        inner.number(value, "percent or percentage points", |p| (-100.0..=most).contains(&p))
    });
    match (&node, &over, &paper) {
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

fn mean_rule(value: &Value, fields: &mut Fields<'_, '_>) -> Option<(Name, Name, Span)> {
    let table = inner(value, fields, "a table with `teacher` and `student`")?;
    let mut inner = Fields::new(table, &value.span, "mean_rule", fields.errors);
    let [teacher, student] =
        ["teacher", "student"].map(|key| inner.require(key).and_then(|value| inner.string(value)));
    inner.finish();
    Some((teacher?, student?, value.span.clone()))
}

impl Resolver<'_> {
    pub fn figure(&mut self, raw: &RawFigure, evals: &[(String, Eval)]) -> Option<Figure> {
        let group = self.group("figure", &raw.name, raw.eval.as_ref())?;
        let gains = raw.series.iter().flat_map(|series| &series.points).any(|p| p.over.is_some());
        let mut series = Vec::with_capacity(raw.series.len());
        for line in &raw.series {
            let mut points = Vec::with_capacity(line.points.len());
            for point in &line.points {
                points.extend(self.point(point, gains, group, evals));
            }
            points.sort_by(|a: &Point, b| a.x.total_cmp(&b.x));
            series.push(Series { label: line.label.clone(), points });
        }
        let mean_rule = raw.mean_rule.as_ref().and_then(|(teacher, student, span)| {
            if gains {
                self.errors.push(span, "the mean rule is about accuracies, not gains");
            }
            let [teacher, student] = [teacher, student].map(|name| self.ours(name, group, evals));
            Some(MeanRule { teacher: teacher?, student: student? })
        });
        let quantity = match &raw.gain {
            None if gains => Quantity::GainPoints,
            None => Quantity::Accuracy,
            Some((quantity, span)) => {
                if !gains {
                    let help = "give its points `over`, the node whose accuracy is exceeded";
                    self.errors.push_help(span, "`gain` belongs to a figure of gains", help);
                }
                *quantity
            }
        };
        let default = match quantity {
            Quantity::Accuracy => "accuracy (%)",
            Quantity::GainPoints => "gain in accuracy (percentage points)",
            Quantity::GainPercent => "gain in accuracy (percent)",
        };
        Some(Figure {
            name: raw.name.text.clone(),
            title: raw.title.clone().unwrap_or_else(|| raw.name.text.clone()),
            x: raw.x.text.clone(),
            y: raw.y.clone().unwrap_or_else(|| default.to_owned()),
            quantity,
            note: raw.note.clone(),
            split: group.split,
            series,
            mean_rule,
        })
    }

    fn point(
        &mut self,
        raw: &RawPoint,
        gains: bool,
        group: &RawEval,
        evals: &[(String, Eval)],
    ) -> Option<Point> {
        if gains && raw.node.is_some() && raw.over.is_none() {
            let message = "one figure shows accuracies or gains, not both";
            self.errors.push_help(
                &raw.span,
                message,
                "give `over` to all of its points or to none",
            );
        }
        let [of, over] = [&raw.node, &raw.over]
            .map(|name| name.as_ref().map(|name| self.ours(name, group, evals)));
        let ours = match (of, over) {
            (None, _) => None,
            (Some(of), None) => Some(Measure::Accuracy(of?)),
            (Some(of), Some(over)) => Some(Measure::Gain { of: of?, over: over? }),
        };
        Some(Point { x: raw.x, ours, paper: raw.paper })
    }

    /// A node and its measurement in `group`.
    fn ours(&mut self, name: &Name, group: &RawEval, evals: &[(String, Eval)]) -> Option<Ours> {
        let node = self.node(name)?;
        let measured = self.measured(node, &group.name, name, evals)?;
        Some(self.measurement(node, measured))
    }
}
