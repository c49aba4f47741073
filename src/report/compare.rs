//! TAKD against BLKD: each network that an assistant taught, beside the one that the first teacher
//! taught itself.

use super::{Evidence, Paired, adjust::adjusted, reader::Reader};
use crate::{
    pipeline::{Adjust, Learn, Measured, Pipeline, Table, Teacher, Work},
    statistics::seeds_to_see,
    store::StoreError,
};
use serde::Serialize;

/// The difference that is to be seen, in percentage points.
pub(in crate::report) const TO_SEE: f64 = 0.5;

/// A student with an assistant against one without.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Which of the table's rows it is of, counted from 0.
    pub row: usize,
    /// The row of the one with the assistant, TAKD.
    pub label: String,
    /// Its node.
    pub node: String,
    /// The row of the other, BLKD, or its node where it has no row.
    pub baseline_label: String,
    /// Its node.
    pub baseline: String,
    /// Top-1 of the first minus top-1 of the second, in percentage points, over the seeds that both
    /// are measured with; nothing if there is none.
    pub difference: Option<Paired>,
    /// Its p, adjusted over all comparisons of the table that have one.
    pub adjusted_p: Option<f64>,
    /// With how many seeds the paired test would show 0.5 points at 5 % in four of five cases, by the
    /// spread of these differences; nothing without an interval, or if it takes over 100,000.
    pub seeds_to_see: Option<usize>,
}

impl Comparison {
    /// Whether it is shown beside all others of its table: its adjusted p is below 5 %.
    pub fn is_significant(&self) -> bool {
        self.adjusted_p.is_some_and(|p| p < 0.05)
    }

    /// Its p, where there is one.
    fn p(&self) -> Option<f64> {
        match self.difference?.evidence {
            Evidence::Interval { p, .. } => Some(p),
            Evidence::OneSeed | Evidence::NoSpread => None,
        }
    }

    /// Fills in what the comparisons of a table say beside one another.
    pub fn adjust(all: &mut [Self], how: Adjust) {
        let ps: Vec<f64> = all.iter().filter_map(Self::p).collect();
        let mut ps = adjusted(&ps, how).into_iter();
        for comparison in all {
            let tested = comparison.p().is_some();
            comparison.adjusted_p = if tested { ps.next() } else { None };
            let std = comparison.difference.and_then(|difference| difference.std);
            comparison.seeds_to_see =
                std.filter(|_| tested).and_then(|std| seeds_to_see(std, TO_SEE));
        }
    }
}

/// The comparisons of a table's rows.
pub(super) fn comparisons(
    pipeline: &Pipeline,
    table: &Table,
    reader: &mut Reader<'_, '_>,
) -> Result<Vec<Comparison>, StoreError> {
    let mut found = Vec::new();
    for (place, row) in table.rows.iter().enumerate() {
        let Some(ours) = row.measured else { continue };
        let Some(baseline) = baseline(pipeline, ours) else { continue };
        let (with, without) = (reader.row(ours)?, reader.row(baseline)?);
        let top1 = |seed: &super::SeedResult| seed.metrics.as_ref().map(|m| m.top1() * 100.0);
        let pairs = with.seeds.iter().zip(&without.seeds);
        let differences: Vec<f64> = pairs.filter_map(|(a, b)| Some(top1(a)? - top1(b)?)).collect();
        let shown =
            table.rows.iter().find(|row| row.measured.is_some_and(|o| o.node == baseline.node));
        found.push(Comparison {
            row: place,
            label: row.label.clone(),
            node: with.node,
            baseline_label: shown.map_or_else(|| without.node.clone(), |row| row.label.clone()),
            baseline: without.node,
            difference: Paired::of(&differences),
            adjusted_p: None,
            seeds_to_see: None,
        });
    }
    Comparison::adjust(&mut found, table.adjust);
    Ok(found)
}

/// The same network, taught by the first teacher of `ours`'s chain itself and measured in the same
/// eval; of several the one whose objective and recipe are the same, then the first.
fn baseline(pipeline: &Pipeline, ours: Measured) -> Option<Measured> {
    let student = pipeline.learn(ours.node);
    let teacher = student.teacher()?;
    let nearest = teacher.first()?;
    let mut first = nearest;
    while let Some(above) = pipeline.learn(first).teacher().and_then(Teacher::first) {
        first = above;
    }
    if first == nearest {
        return None;
    }
    let Work::Eval(own) = &pipeline.nodes[ours.eval].work else { return None };
    let measured = pipeline.nodes.iter().enumerate().filter_map(|(eval, node)| match &node.work {
        Work::Eval(found) if found.group == own.group => Some(Measured { node: found.of, eval }),
        _ => None,
    });
    let alike = |learn: &Learn| {
        let same = learn.net == student.net && learn.data == student.data;
        same && learn.teacher().is_some_and(|teacher| teacher.nodes == [first])
    };
    let unlike = |learn: &Learn| {
        let objective = learn.teacher().map(|t| &t.objective) != Some(&teacher.objective);
        (objective, learn.recipe() != student.recipe())
    };
    measured
        .filter(|ours| alike(pipeline.learn(ours.node)))
        .min_by_key(|ours| unlike(pipeline.learn(ours.node)))
}
