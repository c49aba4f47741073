//! A figure whose names are what they name.

use super::{
    Figure, MeanRule, Measure, Places, Point, Quantity, Series, Teachers, X,
    raw::{RawFigure, RawPlaces, RawPoint},
};
use crate::pipeline::{
    measure::{Eval, Measured},
    resolve::Resolver,
    resolved::Learn,
    tables::RawEval,
    value::Name,
};

impl Resolver<'_> {
    pub fn figure(
        &mut self,
        raw: &RawFigure,
        evals: &[(String, Eval)],
        learns: &[Option<Learn>],
    ) -> Option<Figure> {
        let group = self.group("figure", &raw.name, raw.eval.as_ref())?;
        let (places, measures) = match &raw.places {
            RawPlaces::Numbers => (Places::Numbers, group),
            RawPlaces::Footprint(what) => (Places::Footprint(*what), group),
            RawPlaces::Teachers(teachers) => {
                let given = teachers.eval.as_ref().or(raw.eval.as_ref());
                let of = self.group("figure", &raw.name, given)?;
                let (metric, split) = (teachers.metric, of.split);
                (Places::Teachers(Teachers { metric, split }), of)
            }
        };
        let mut overs = raw.series.iter().flat_map(|series| &series.points).map(|p| &p.over);
        let gains = places.teachers().is_some() || overs.any(Option::is_some);
        let mut series = match (places, &*raw.series) {
            (Places::Footprint(_), []) => self.every_network(group, evals),
            _ => Vec::with_capacity(raw.series.len()),
        };
        for line in &raw.series {
            let mut points = Vec::with_capacity(line.points.len());
            for point in &line.points {
                match places {
                    Places::Numbers => points.extend(self.point(point, gains, group, evals)),
                    Places::Footprint(_) => {
                        self.sized_points(point, group, evals, &mut points);
                    }
                    Places::Teachers(Teachers { metric, .. }) => {
                        let groups = [group, measures];
                        self.taught_points(point, metric, groups, evals, learns, &mut points);
                    }
                }
            }
            let place = |point: &Point| match point.x {
                X::At(x) => x,
                X::OfTeacher(_) | X::OfNetwork => 0.0,
            };
            points.sort_by(|a: &Point, b| place(a).total_cmp(&place(b)));
            series.push(Series { label: line.label.clone(), points });
        }
        let mean_rule = raw.mean_rule.as_ref().and_then(|(teacher, student, span)| {
            if gains {
                self.errors.push(span, "the mean rule is about accuracies, not gains");
            }
            let [teacher, student] =
                [teacher, student].map(|name| self.measure(name, group, evals));
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
        let x = raw.x.as_ref().map(|x| x.text.clone());
        Some(Figure {
            name: raw.name.text.clone(),
            title: raw.title.clone().unwrap_or_else(|| raw.name.text.clone()),
            x: x.or_else(|| places.label()).unwrap_or_default(),
            y: raw.y.clone().unwrap_or_else(|| default.to_owned()),
            quantity,
            note: raw.note.clone(),
            split: group.split,
            series,
            mean_rule,
            places,
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
            .map(|name| name.as_ref().map(|name| self.measure(name, group, evals)));
        let measured = match (of, over) {
            (None, _) => None,
            (Some(of), None) => Some(Measure::Accuracy(of?)),
            (Some(of), Some(over)) => Some(Measure::Gain { of: of?, over: over? }),
        };
        Some(Point { x: X::At(raw.x?), measured, paper: raw.paper })
    }

    /// A node and its measurement in `group`.
    pub(super) fn measure(
        &mut self,
        name: &Name,
        group: &RawEval,
        evals: &[(String, Eval)],
    ) -> Option<Measured> {
        let node = self.node(name)?;
        let measured = self.measured(node, &group.name, name, evals)?;
        Some(self.measurement(node, measured))
    }
}
