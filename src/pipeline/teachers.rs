//! Reading whom a student learns from.

use super::{
    diagnostic::Span,
    fields::Fields,
    outside::{RawOutside, outside},
    tables::RawTeacher,
    value::{Kind, Name, Value},
};
use crate::{keep::Keep, kind::Choice, objective::Distillation};

/// Names of teachers, and what each counts.
pub(super) struct Named<'v> {
    names: Vec<Name>,
    outside: Option<RawOutside>,
    /// As they are written, where they are.
    weights: Option<(Vec<f64>, &'v Value)>,
}

/// `teacher = "t"`, `teacher = { onnx = "t.onnx" }`, or `teachers = ["t", "ta"]` with `teacher_weights = [0.7, 0.3]`.
pub(super) fn named<'v>(node: &Name, fields: &mut Fields<'v, '_>) -> Option<Named<'v>> {
    let (one, several) = (fields.take("teacher"), fields.take("teachers"));
    let weights = fields.take("teacher_weights");
    let names = match (one, several) {
        (Some(_), Some(several)) => {
            let message = "`teacher` and `teachers` exclude one another";
            fields.errors.push(&several.span, message);
            return None;
        }
        (None, None) => {
            let message = format!("`distill.{}` needs `teacher`", node.text);
            let help = "the node that teaches, or `teachers`, a list of nodes";
            fields.errors.push_help(&node.span, message, help);
            return None;
        }
        (Some(one), None) if matches!(one.kind, Kind::Table(_)) => {
            if let Some(weights) = weights {
                let message = "one teacher needs no weight: leave `teacher_weights` out";
                fields.errors.push(&weights.span, message);
            }
            let outside = Some(outside(node, one, fields)?);
            return Some(Named { names: Vec::new(), outside, weights: None });
        }
        (Some(one), None) => vec![fields.string(one)?],
        (None, Some(several)) => {
            let names = fields.strings(several);
            if names.is_empty() {
                fields.errors.push(&several.span, "expected at least one teacher");
            }
            names
        }
    };
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|before| before.text == name.text) {
            fields.errors.push(&name.span, format!("`{}` is named twice", name.text));
        }
    }
    let weights = match weights {
        None => None,
        Some(value) => {
            let items = fields.array(value, "weights");
            let want = "a weight of 0 or more";
            let read: Vec<f64> =
                items.iter().filter_map(|item| fields.number(item, want, |w| w >= 0.0)).collect();
            if items.len() != names.len() {
                let message = format!("expected {} weights, one per teacher", names.len());
                fields.errors.push(&value.span, message);
            } else if read.len() == names.len() && read.iter().all(|&weight| weight == 0.0) {
                fields.errors.push(&value.span, "weights that are all 0 teach nothing");
            }
            Some((read, value))
        }
    };
    (!names.is_empty()).then_some(Named { names, outside: None, weights })
}

/// Teachers with what is learnt from them.
pub(super) fn taught(
    named: Option<Named<'_>>,
    objective: Option<(Choice<dyn Distillation>, &Value)>,
    keep: Option<(Keep, Span)>,
    fields: &mut Fields<'_, '_>,
) -> Option<RawTeacher> {
    let (Named { names, outside, weights }, (objective, value)) = (named?, objective?);
    match &weights {
        _ if objective.sees_each() && names.len() < 2 => {
            let help =
                "name several: teachers = [\"…\", \"…\"], or use a chain with `dense = true`";
            let message = "this objective learns from each of several teachers, and there is one";
            fields.errors.push_help(&value.span, message, help);
        }
        Some((_, weights)) if objective.sees_each() => {
            let message = "this objective learns from each teacher alike: no mean is weighted";
            fields.errors.push(&weights.span, message);
        }
        _ => {}
    }
    let weights = weights.map(|(weights, _)| weights);
    Some(RawTeacher {
        names,
        outside,
        weights,
        objective,
        objective_span: value.span.clone(),
        keep,
    })
}
