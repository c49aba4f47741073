//! Points that stand where a measure of their teachers is.

use super::{Measure, Point, X, raw::RawPoint};
use crate::{
    metric::{Metric, Setting},
    pipeline::{measure::Eval, resolve::Resolver, resolved::Learn, tables::RawEval, value::Name},
};

impl Resolver<'_> {
    /// A point for each student that `raw` means: its gain, measured in the first of the groups, at its
    /// teacher's `metric`, measured in the second. They go after `points`, those of the same line.
    pub(super) fn taught_points(
        &mut self,
        raw: &RawPoint,
        metric: &Metric,
        [gains, measures]: [&RawEval; 2],
        evals: &[(String, Eval)],
        learns: &[Option<Learn>],
        points: &mut Vec<Point>,
    ) {
        let Some(name) = &raw.node else { return };
        let Some(over) = &raw.over else {
            let help = "the same network from scratch: the figure shows what a teacher gains it";
            self.errors.push_help(&raw.span, "`point` needs `over`", help);
            return;
        };
        let over = self.measure(over, gains, evals);
        let students = self.matching(name);
        if students.len() > 1 && raw.paper.is_some() {
            self.errors.push(&raw.span, format!("one paper's value for {} nodes", students.len()));
        }
        for student in students {
            let Some(learn) = &learns[student] else { continue };
            let own = &self.raw.learns[student].name.text;
            let teacher = match learn.teacher().map(|teacher| &teacher.nodes[..]) {
                Some(&[teacher]) => teacher,
                other => {
                    let has = match other {
                        None => "no teacher",
                        Some([]) => "a teacher in a file, which is not measured",
                        Some(_) => "several teachers",
                    };
                    self.errors.push(&name.span, format!("`{own}` has {has}"));
                    continue;
                }
            };
            let teachers =
                Name { text: self.raw.learns[teacher].name.text.clone(), span: name.span.clone() };
            let Some(place) = self.measure(&teachers, measures, evals) else { continue };
            if !is_measured(metric, &evals[place.eval - self.raw.learns.len()].1, learn) {
                let message = format!(
                    "`eval.{}` does not measure `{}` of `{}`",
                    measures.name.text, metric.name, teachers.text
                );
                let help = "ask for it there: `softness`, `against`, `agreement`";
                self.errors.push_help(&name.span, message, help);
                continue;
            }
            let known =
                |point: &Point| matches!(point.x, X::OfTeacher(known) if known.node == teacher);
            if points.iter().any(known) {
                let message = format!("two students of `{}` in one series", teachers.text);
                let help = "a series each: its correlation counts teachers";
                self.errors.push_help(&name.span, message, help);
                continue;
            }
            let student = Name { text: own.clone(), span: name.span.clone() };
            let of = self.measure(&student, gains, evals);
            if let Some((of, over)) = of.zip(over) {
                let measured = Some(Measure::Gain { of, over });
                points.push(Point { x: X::OfTeacher(place), measured, paper: raw.paper });
            }
        }
    }
}

/// Whether `eval` measures `metric`, of a network that knows as many classes as `learn`'s.
fn is_measured(metric: &Metric, eval: &Eval, learn: &Learn) -> bool {
    metric.is_asked(Setting {
        classes: learn.net.classes(),
        temperature: eval.temperature,
        has_teacher: eval.teacher.is_some(),
        softness: eval.softness,
        has_scratch: eval.against.is_some(),
        has_int8: eval.int8,
        fit: None,
    })
}
