//! Points that stand where what their network takes of a device is.

use super::{Measure, Point, Series, X, raw::RawPoint};
use crate::pipeline::{
    measure::{Eval, Measured},
    resolve::Resolver,
    tables::RawEval,
};

impl Resolver<'_> {
    /// A point for each node that `raw` means, after `points`, those of the same line.
    pub(super) fn sized_points(
        &mut self,
        raw: &RawPoint,
        group: &RawEval,
        evals: &[(String, Eval)],
        points: &mut Vec<Point>,
    ) {
        let Some(name) = &raw.node else { return };
        for node in self.matching(name) {
            let eval = self.measured(node, &group.name, name, evals);
            points.extend(eval.map(|eval| sized(self.measurement(node, eval))));
        }
    }

    /// Every network that `group` measures: a line for those that a teacher taught, one for the others.
    pub(super) fn every_network(&self, group: &RawEval, evals: &[(String, Eval)]) -> Vec<Series> {
        let (mut taught, mut others) = (Vec::new(), Vec::new());
        for (index, (_, eval)) in evals.iter().enumerate() {
            if eval.group == group.name.text {
                let point = sized(self.measurement(eval.of, index));
                let is_taught = self.raw.learns[eval.of].teacher.is_some();
                if is_taught { &mut taught } else { &mut others }.push(point);
            }
        }
        let lines = [("without a teacher", others), ("distilled", taught)];
        let lines = lines.into_iter().filter(|(_, points)| !points.is_empty());
        lines.map(|(label, points)| Series { label: label.to_owned(), points }).collect()
    }
}

fn sized(of: Measured) -> Point {
    Point { x: X::OfNetwork, measured: Some(Measure::Accuracy(of)), paper: None }
}
