//! Pictures of a search: what n trials may expect, and where the good ones lie.

use super::{MethodResults, SearchResults, TrialResults};
use crate::report::{
    figure::{Axis, Entry, LEFT, NORMAL, RIGHT, SMALL, WIDTH, legend, mark, name_axes},
    picture::{Anchor, Ink, Pen, Picture, Shape, width},
};

/// Points of a curve that are marked: more would hide it.
const MARKED: usize = 40;

/// Panels beside one another, the height of a plot, and what stands above and below it.
const ACROSS: usize = 2;
const PLOT: f64 = 150.0;
const AROUND: f64 = 66.0;

impl SearchResults {
    /// The expected best of each method against the epochs that it would have taken; nothing before two
    /// trials have finished.
    pub fn curves(&self) -> Option<Picture> {
        let scale = self.metric.unit.scale();
        let lines: Vec<(&str, Vec<(f64, f64)>)> =
            self.methods.iter().map(|method| (&*method.winner, curve(method, scale))).collect();
        let points = || lines.iter().flat_map(|(_, points)| points);
        if points().count() < 2 {
            return None;
        }
        let title = format!("{}: the best that a budget may expect", self.name);
        let description = format!("Expected best of n trials, {}.", self.by());
        let bottom = 330.0;
        let (height, shapes) = (bottom + 58.0, Vec::new());
        let mut picture =
            Picture { width: WIDTH, height, title: title.clone(), description, shapes };
        picture.text((16.0, 26.0), &title, 16.0, Ink::Strong, Anchor::Start);
        picture.text((16.0, 45.0), &self.by(), SMALL, Ink::Soft, Anchor::Start);
        let entry = |(series, (name, _)): (usize, &(&str, _))| Entry {
            series,
            joined: true,
            hollow: false,
            text: (*name).to_owned(),
        };
        let top = legend(&mut picture, 68.0, lines.iter().enumerate().map(entry)) + 18.0;
        let x = Axis::rounded(&points().map(|point| point.0).collect::<Vec<_>>(), LEFT, RIGHT);
        let y = Axis::rounded(&points().map(|point| point.1).collect::<Vec<_>>(), bottom, top);
        let pen = y.grid(&mut picture, [LEFT, RIGHT], bottom);
        x.below(&mut picture, bottom, pen);
        let middle = f64::midpoint(LEFT, RIGHT);
        let places = [(middle, bottom + 44.0), (18.0, f64::midpoint(top, bottom))];
        name_axes(&mut picture, places, ["epochs, assistants included", self.metric.title]);
        for (number, (name, points)) in lines.iter().enumerate() {
            let ink = Ink::Series(number);
            let at = |&(epochs, best): &(f64, f64)| (x.pixel(epochs), y.pixel(best));
            let pen = Pen { ink, width: 2.0, dashed: false };
            picture.shapes.push(Shape::Line { points: points.iter().map(at).collect(), pen });
            for (n, point) in (1..).zip(points).filter(|_| points.len() <= MARKED) {
                let note = format!("{name}: {:.2} from {n} trials", point.1);
                picture.shapes.push(mark(at(point), number, false, note));
            }
        }
        Some(picture)
    }
}

impl MethodResults {
    /// The scores against each field's values; nothing before a trial has finished.
    pub fn slices(&self, metric: &str, scale: f64) -> Option<Picture> {
        let finished: Vec<&TrialResults> =
            self.trials.iter().filter(|trial| trial.state == "finished").collect();
        let score = |trial: &TrialResults| trial.scores.last().map(|score| score * scale);
        let scores: Vec<f64> = finished.iter().filter_map(|trial| score(trial)).collect();
        if scores.is_empty() {
            return None;
        }
        let rows = self.fields.len().div_ceil(ACROSS);
        let title = format!("{}: {metric} by values", self.winner);
        let description =
            format!("A panel per field, a point per trial: {}", self.fields.join(", "));
        let (height, shapes) = (34.0 + rows as f64 * (PLOT + AROUND), Vec::new());
        let mut picture =
            Picture { width: WIDTH, height, title: title.clone(), description, shapes };
        picture.text((16.0, 24.0), &title, NORMAL, Ink::Strong, Anchor::Start);
        let wide = (WIDTH - 16.0) / ACROSS as f64;
        for (field, name) in self.fields.iter().enumerate() {
            let left = LEFT - 8.0 + (field % ACROSS) as f64 * wide;
            let right = left + wide - 76.0;
            let top = 46.0 + (field / ACROSS) as f64 * (PLOT + AROUND);
            let bottom = top + PLOT;
            let y = Axis::rounded(&scores, bottom, top);
            let pen = y.grid(&mut picture, [left, right], bottom);
            let share = self.importance.get(field).copied().unwrap_or(0.0) * 100.0;
            let name = match share >= 0.5 {
                true => format!("{name}: {share:.0} %"),
                false => name.clone(),
            };
            let middle = f64::midpoint(left, right);
            picture.text((middle, bottom + 36.0), &name, SMALL, Ink::Strong, Anchor::Middle);
            // Points on an edge would be cut.
            let inside = |place: f64| left + 6.0 + place * (right - left - 12.0);
            let mut told: Vec<(f64, String)> = Vec::new();
            for trial in &finished {
                let (Some(place), Some(value), Some(score)) =
                    (trial.places[field], &trial.values[field], score(trial))
                else {
                    continue;
                };
                let note = format!("{}: {score:.2} at {value}", trial.node);
                picture.shapes.push(mark((inside(place), y.pixel(score)), 0, false, note));
                told.push((place, value.clone()));
            }
            told.sort_by(|a, b| a.0.total_cmp(&b.0));
            told.dedup();
            // As many values as have room.
            let mut free = left - 30.0;
            for (place, value) in told {
                let (at, half) = (inside(place), width(&value, SMALL) / 2.0);
                if at - half > free {
                    picture.text((at, bottom + 18.0), &value, SMALL, Ink::Soft, Anchor::Middle);
                    picture.line((at, bottom), (at, bottom + 4.0), pen);
                    free = at + half + 8.0;
                }
            }
        }
        Some(picture)
    }
}

/// Epochs, and the expected best of as many trials.
fn curve(method: &MethodResults, scale: f64) -> Vec<(f64, f64)> {
    let finished = method.expected_best.len().max(1) as f64;
    let each = (method.epochs - method.charged) as f64 / finished;
    let spent = |n: usize| method.charged as f64 + each * n as f64;
    (1..).zip(&method.expected_best).map(|(n, best)| (spent(n), best * scale)).collect()
}
