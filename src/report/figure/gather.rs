//! A figure's numbers.

use super::{
    super::{MeasuredRow, SeedResult, Spread, reader::Reader},
    Correlation, Front, TeachersResult,
};
use crate::{
    dataset::Split,
    pipeline::{Figure, Measure, Point, Quantity, X},
    store::StoreError,
};
use serde::Serialize;

/// A figure with what the cache holds for it.
#[derive(Clone, Debug, Serialize)]
pub struct FigureResults {
    /// Names its files.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Label of the horizontal axis.
    pub x: String,
    /// Label of the vertical axis.
    pub y: String,
    /// What its values are.
    pub quantity: Quantity,
    /// The file's word on it.
    pub note: Option<String>,
    /// What the quoted values are, to go after "the paper's are".
    pub paper_note: Option<String>,
    /// The measured split.
    pub split: Split,
    /// Seeds of the pipeline.
    pub seeds: usize,
    /// Its lines.
    pub lines: Vec<Line>,
    /// The mean rule, where it is drawn.
    pub rule: Option<Rule>,
    /// What of the teachers places the points, where that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teachers: Option<TeachersResult>,
    /// The Pareto front, where points stand at what their networks take of a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub front: Option<Front>,
}

/// A line of points.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// For the legend.
    pub label: String,
    /// In the order of `x`.
    pub points: Vec<PointResult>,
}

/// A point.
#[derive(Clone, Debug, Serialize)]
pub struct PointResult {
    /// Where it stands; nothing while its teacher, or its latency, is not measured.
    pub x: Option<f64>,
    /// The node of the teacher whose measure places it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher: Option<String>,
    /// The node that trains its network; nothing in a point that only quotes.
    pub node: Option<String>,
    /// The node over which its gain is counted.
    pub over: Option<String>,
    /// Over the seeds that are measured.
    pub ours: Option<Spread>,
    /// Seeds without a measurement.
    pub missing: usize,
    /// Whether a network's epoch was selected on the test split.
    pub test_selected: bool,
    /// The published value.
    pub paper: Option<f64>,
}

/// The paper's rule for choosing an assistant, applied.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// The node of the teacher.
    pub teacher: String,
    /// The node of the student without a teacher.
    pub student: String,
    /// Mean of their accuracies, in percent; nothing unless both are measured.
    pub mean: Option<f64>,
    /// What it picks, once every candidate is measured.
    pub pick: Option<Pick>,
}

/// The network that the rule picks.
#[derive(Clone, Debug, Serialize)]
pub struct Pick {
    /// Its node.
    pub node: String,
    /// Where it stands.
    pub x: f64,
    /// Its accuracy in percent.
    pub accuracy: f64,
}

impl FigureResults {
    /// Reads the results of `figure`.
    pub(in crate::report) fn gather(
        figure: &Figure,
        reader: &mut Reader<'_, '_>,
    ) -> Result<Self, StoreError> {
        let mut lines = Vec::with_capacity(figure.series.len());
        for series in &figure.series {
            let points = series.points.iter().map(|point| gather_point(point, figure, reader));
            let mut points = points.collect::<Result<Vec<PointResult>, _>>()?;
            let place = |point: &PointResult| point.x.unwrap_or(f64::INFINITY);
            points.sort_by(|a, b| place(a).total_cmp(&place(b)));
            lines.push(Line { label: series.label.clone(), points });
        }
        let rule = match figure.mean_rule {
            None => None,
            Some(rule) => {
                let (teacher, student) = (reader.row(rule.teacher)?, reader.row(rule.student)?);
                let ends = teacher.accuracy().zip(student.accuracy());
                let mean = ends.map(|(t, s)| (t.mean + s.mean) / 2.0 * 100.0);
                let mut rule =
                    Rule { teacher: teacher.node, student: student.node, mean, pick: None };
                rule.pick = rule.choose(&lines);
                Some(rule)
            }
        };
        let teachers = figure.places.teachers().map(|teachers| {
            TeachersResult::of(teachers, lines.iter().map(Line::correlation).collect())
        });
        let networks =
            || lines.iter().flat_map(|line: &Line| &line.points).filter_map(PointResult::network);
        let front = figure.places.footprint().map(|what| Front::of(what, networks()));
        Ok(Self {
            name: figure.name.clone(),
            title: figure.title.clone(),
            x: figure.x.clone(),
            y: figure.y.clone(),
            quantity: figure.quantity,
            note: figure.note.clone(),
            paper_note: reader.paper_note(),
            split: figure.split,
            seeds: reader.seeds(),
            lines,
            rule,
            teachers,
            front,
        })
    }
}

impl PointResult {
    /// Its node, its place and its accuracy, if it is measured.
    pub fn network(&self) -> Option<(String, Option<f64>, f64)> {
        Some((self.node.clone()?, self.x, self.ours?.mean))
    }
}

impl Line {
    /// How its points' places and values rise together.
    fn correlation(&self) -> Correlation {
        let pairs = self.points.iter().filter_map(|point| point.x.zip(point.ours.map(|y| y.mean)));
        Correlation::of(&self.label, &pairs.collect::<Vec<_>>())
    }
}

impl Rule {
    /// Of the points that are neither the teacher nor the student, the one nearest to the mean (of
    /// equally near ones the first); nothing until all are measured, since one more could be nearer.
    fn choose(&self, lines: &[Line]) -> Option<Pick> {
        let mean = self.mean?;
        let mut pick: Option<Pick> = None;
        for point in lines.iter().flat_map(|line| &line.points) {
            let Some(node) = &point.node else { continue };
            if *node == self.teacher || *node == self.student {
                continue;
            }
            let accuracy = point.ours?.mean;
            let distance = |accuracy: f64| (accuracy - mean).abs();
            if pick.as_ref().is_none_or(|best| distance(accuracy) < distance(best.accuracy)) {
                pick = Some(Pick { node: node.clone(), x: point.x?, accuracy });
            }
        }
        pick
    }
}

fn gather_point(
    point: &Point,
    figure: &Figure,
    reader: &mut Reader<'_, '_>,
) -> Result<PointResult, StoreError> {
    let top1 = |row: &MeasuredRow| -> Vec<Option<f64>> {
        row.seeds.iter().map(|seed| seed.metrics.as_ref().map(|m| m.top1() * 100.0)).collect()
    };
    let mut result = PointResult {
        x: None,
        teacher: None,
        node: None,
        over: None,
        ours: None,
        missing: 0,
        test_selected: false,
        paper: point.paper,
    };
    match point.x {
        X::At(x) => result.x = Some(x),
        X::OfTeacher(teacher) => {
            let row = reader.row(teacher)?;
            let metric = figure.places.teachers().map(|teachers| teachers.metric);
            let number = |seed: &SeedResult| {
                let metric = metric?;
                Some(seed.metrics.as_ref()?.get(metric.name)? * metric.unit.scale())
            };
            let numbers: Vec<f64> = row.seeds.iter().filter_map(number).collect();
            result.x = Spread::of(&numbers).map(|spread| spread.mean);
            result.teacher = Some(row.node);
        }
        X::OfNetwork => {}
    }
    let values = match point.measured {
        None => return Ok(result),
        Some(Measure::Accuracy(of)) => {
            let takes = figure.places.footprint();
            let row = reader.row_with(of, takes)?;
            if let Some(what) = takes {
                result.x = row.footprint(what);
            }
            result.test_selected = row.is_test_selected();
            let values = top1(&row);
            result.node = Some(row.node);
            values
        }
        Some(Measure::Gain { of, over }) => {
            let (row, base) = (reader.row(of)?, reader.row(over)?);
            result.test_selected = row.is_test_selected() || base.is_test_selected();
            let pairs = top1(&row).into_iter().zip(top1(&base));
            let gain = |of: f64, over: f64| match figure.quantity {
                // Over an accuracy of 0 it would be infinite: no picture shows that.
                Quantity::GainPercent if over == 0.0 => None,
                Quantity::GainPercent => Some((of - over) / over * 100.0),
                Quantity::GainPoints | Quantity::Accuracy => Some(of - over),
            };
            let values = pairs.map(|(of, over)| gain(of?, over?)).collect();
            (result.node, result.over) = (Some(row.node), Some(base.node));
            values
        }
    };
    let measured: Vec<f64> = values.iter().copied().flatten().collect();
    result.missing = values.len() - measured.len();
    result.ours = Spread::of(&measured);
    Ok(result)
}
