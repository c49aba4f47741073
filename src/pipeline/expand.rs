//! Matrices and chains, written out as the nodes that they stand for.

use super::{
    diagnostic::Diagnostics,
    fields::Fields,
    hyper,
    tables::{RawLearn, RawTeacher, Role},
    value::{Kind, Name, Table, Value},
};
use crate::{kinds::Kinds, objective::CrossEntropy};
use std::collections::BTreeSet;

/// Most nodes that one matrix may stand for, and all matrices and chains together.
pub(super) const MOST: usize = 20_000;

/// Copies of `table`, one for each combination of the values in its `matrix`.
///
/// `{size}` in a string becomes the value; a string that is nothing but `{size}` becomes the value
/// itself, so that numbers can vary too. A name without any `{…}` gets the values appended.
pub(super) fn matrix(name: &Name, table: &Table, errors: &mut Diagnostics) -> Vec<(Name, Table)> {
    let Some(value) = table.get("matrix") else { return vec![(name.clone(), table.clone())] };
    let Kind::Table(Table(axes)) = &value.kind else {
        let message = format!("expected a table of arrays, found {}", value.type_name());
        errors.push(&value.span, message);
        return Vec::new();
    };
    let mut combinations: Vec<Vec<(&str, &Value)>> = vec![Vec::new()];
    if axes.is_empty() {
        errors.push(&value.span, "an empty matrix stands for no node");
    }
    for (axis, values) in axes {
        let Kind::Array(values) = &values.kind else {
            let message = format!("expected an array, found {}", values.type_name());
            errors.push(&value.span, message);
            return Vec::new();
        };
        if values.is_empty() {
            errors.push(
                &axis.span,
                format!("`{}` has no values: the matrix stands for no node", axis.text),
            );
        }
        for value in values {
            if matches!(value.kind, Kind::Table(_) | Kind::Array(_) | Kind::Other(_)) {
                let message =
                    format!("expected a string, number or boolean, found {}", value.type_name());
                errors.push(&value.span, message);
            }
        }
        if combinations.len().saturating_mul(values.len()) > MOST {
            errors.push(&axis.span, format!("the matrix stands for more than {MOST} nodes"));
            return Vec::new();
        }
        combinations = combinations
            .iter()
            .flat_map(|before| {
                values.iter().map(|value| [&before[..], &[(&*axis.text, value)]].concat())
            })
            .collect();
    }
    let rest = Table(table.0.iter().filter(|(key, _)| key.text != "matrix").cloned().collect());
    let named = axes.iter().any(|(axis, _)| name.text.contains(&format!("{{{}}}", axis.text)));
    combinations
        .into_iter()
        .filter(|combination| !combination.is_empty())
        .map(|combination| {
            let mut text = fill(&name.text, &combination);
            if !named {
                let values: Vec<String> =
                    combination.iter().map(|(_, value)| plain(value)).collect();
                text = format!("{text}/{}", values.join("-"));
            }
            (Name { text, span: name.span.clone() }, fill_table(&rest, &combination))
        })
        .collect()
}

/// `text` with each `{axis}` replaced. A value that itself holds `{…}` stays as it is: values that
/// name one another would grow without end.
fn fill(text: &str, combination: &[(&str, &Value)]) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        filled += before;
        let known = combination
            .iter()
            .find_map(|(axis, value)| Some((value, after.strip_prefix(axis)?.strip_prefix('}')?)));
        rest = match known {
            Some((value, behind)) => {
                filled += &plain(value);
                behind
            }
            None => {
                filled.push('{');
                after
            }
        };
    }
    filled + rest
}

fn fill_table(table: &Table, combination: &[(&str, &Value)]) -> Table {
    let entries = table.0.iter();
    Table(entries.map(|(key, value)| (key.clone(), fill_value(value, combination))).collect())
}

fn fill_value(value: &Value, combination: &[(&str, &Value)]) -> Value {
    let kind = match &value.kind {
        Kind::String(text) => {
            let whole = combination.iter().find(|(axis, _)| *text == format!("{{{axis}}}"));
            match whole {
                // A name that is wholly a number, such as `net = "{size}"`, is caught by its type.
                Some((_, value)) => value.kind.clone(),
                None => Kind::String(fill(text, combination)),
            }
        }
        Kind::Array(items) => {
            Kind::Array(items.iter().map(|item| fill_value(item, combination)).collect())
        }
        Kind::Table(table) => Kind::Table(fill_table(table, combination)),
        other => other.clone(),
    };
    Value { span: value.span.clone(), kind }
}

/// A value as it stands in a name: `5` and `5.0` are both `5`.
fn plain(value: &Value) -> String {
    match &value.kind {
        Kind::String(text) => text.clone(),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Boolean(value) => value.to_string(),
        Kind::Array(_) | Kind::Table(_) | Kind::Other(_) => String::new(),
    }
}

/// A chain, written out.
pub(super) struct RawChain {
    /// The teacher that it starts from, and the net that the chain says this is.
    pub start: Option<(Name, Name)>,
    /// Its distill nodes.
    pub nodes: Vec<RawLearn>,
}

/// The distill nodes of a chain: one for each distinct beginning of its paths.
///
/// A node is named by the networks that it has come through, teacher left out: in `[chain.ta]`,
/// 10→8→2 is `ta/plain8` and `ta/plain8-plain2`.
pub(super) fn chain(
    name: &Name,
    table: &Table,
    kinds: &Kinds,
    errors: &mut Diagnostics,
) -> RawChain {
    let mut fields = Fields::new(table, &name.span, format!("chain.{}", name.text), errors);
    let nets_value = fields.require("nets");
    let nets = nets_value.map(|value| fields.strings(value)).unwrap_or_default();
    let from = fields.require("from").and_then(|value| fields.string(value));
    let recipe = fields.take("recipe").and_then(|value| fields.string(value));
    let objective_value = fields.require("objective");
    let objective =
        objective_value.and_then(|value| fields.distillation(value, &kinds.distillation));
    let on_collapse = hyper::on_collapse(&mut fields);
    let keep = super::keep::keep(&mut fields);
    let dense_value = fields.take("dense");
    let dense = dense_value.and_then(|value| fields.flag(value)).unwrap_or_default();
    let paths_value = fields.take("paths");
    let paths = match nets_value {
        None => Vec::new(),
        Some(value) if nets.len() < 2 => {
            let message = "a chain needs at least two nets: the teacher's and a student's";
            fields.errors.push(&value.span, message);
            Vec::new()
        }
        Some(_) => paths(paths_value, &nets, &mut fields),
    };
    let is_short = paths.iter().all(|path| path.len() < 3);
    if let Some(value) = dense_value.filter(|_| dense && is_short && !paths.is_empty()) {
        let help = "give some path an assistant, or leave `dense` out";
        let message = "no student of this chain has more than one teacher";
        fields.errors.push_help(&value.span, message, help);
    }
    let sees_each = objective.as_ref().is_some_and(|objective| objective.sees_each());
    if let Some(value) = objective_value.filter(|_| sees_each && !dense) {
        let help = "`dense = true` gives each student all that are before it";
        let message = "this objective learns from each of several teachers, and there is one";
        fields.errors.push_help(&value.span, message, help);
    }
    fields.finish();
    let start = from.clone().zip(nets.first().cloned());
    let (Some(from), Some(objective), Some(Value { span: objective_span, .. })) =
        (from, objective, objective_value)
    else {
        return RawChain { start, nodes: Vec::new() };
    };
    let mut seen = BTreeSet::new();
    let mut nodes = Vec::new();
    for path in paths {
        // The nearest first.
        let mut above = vec![from.clone()];
        for end in 1..path.len() {
            let names: Vec<&str> = path[1..=end].iter().map(|&net| &*nets[net].text).collect();
            let text = format!("{}/{}", name.text, names.join("-"));
            if seen.insert(path[..=end].to_vec()) {
                nodes.push(RawLearn {
                    name: Name { text: text.clone(), span: name.span.clone() },
                    moment: None,
                    net: nets[path[end]].clone(),
                    data: None,
                    recipe: recipe.clone(),
                    weights: None,
                    from: None,
                    loss: CrossEntropy {}.into(),
                    teacher: Some(RawTeacher {
                        outside: None,
                        names: if dense { above.clone() } else { vec![above[0].clone()] },
                        weights: None,
                        objective: objective.clone(),
                        objective_span: objective_span.clone(),
                        keep: keep.clone(),
                    }),
                    peers: None,
                    on_collapse,
                    objective: objective_value.cloned(),
                    seeds: None,
                    role: Role::Plain,
                });
            }
            above.insert(0, Name { text, span: name.span.clone() });
        }
    }
    RawChain { start, nodes }
}

/// Paths as indices into `nets`, each from the first net.
fn paths(value: Option<&Value>, nets: &[Name], fields: &mut Fields<'_, '_>) -> Vec<Vec<usize>> {
    let last = nets.len().saturating_sub(1);
    let listed = match value {
        None => return vec![(0..=last).collect()],
        Some(Value { kind: Kind::String(word), .. }) if word == "all" => {
            if nets.len() > 15 {
                fields.errors.push(&nets[15].span, "all paths of more than 15 nets are too many");
                return Vec::new();
            }
            return all_paths(last);
        }
        Some(Value { kind: Kind::Array(paths), .. }) => paths,
        Some(other) => {
            fields
                .errors
                .push(&other.span, "expected \"all\" or a list of paths, each a list of nets");
            return Vec::new();
        }
    };
    let mut paths = Vec::new();
    for path in listed {
        let Kind::Array(steps) = &path.kind else {
            fields.wrong_type(path, "a path: an array of nets");
            continue;
        };
        let steps: Vec<Name> = steps.iter().filter_map(|step| fields.string(step)).collect();
        let indices: Vec<Option<usize>> =
            steps.iter().map(|step| nets.iter().position(|net| net.text == step.text)).collect();
        for (step, index) in steps.iter().zip(&indices) {
            if index.is_none() {
                let help = super::names::suggestion(&step.text, nets.iter().map(|net| &*net.text));
                fields.errors.push_help(
                    &step.span,
                    format!("`{}` is not in `nets`", step.text),
                    help,
                );
            }
        }
        let Some(indices) = indices.into_iter().collect::<Option<Vec<usize>>>() else { continue };
        let falls = indices.windows(2).all(|pair| pair[0] < pair[1]);
        if !falls || indices.first() != Some(&0) || indices.len() < 2 {
            let help = format!("start at `{}` and keep the order of `nets`", nets[0].text);
            fields.errors.push_help(&path.span, "not a path through `nets`", help);
            continue;
        }
        paths.push(indices);
    }
    paths
}

/// Every ascending path from 0 to `last`: one for each subset of what lies between, the direct one
/// first.
fn all_paths(last: usize) -> Vec<Vec<usize>> {
    (0..1usize << (last - 1))
        .map(|subset| {
            let between = (1..last).filter(|step| subset >> (step - 1) & 1 == 1);
            std::iter::once(0).chain(between).chain([last]).collect()
        })
        .collect()
}
