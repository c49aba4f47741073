//! Reading `[search.NAME.space.NODE]`: fields, and the values that they take.

use super::{
    super::{
        fields::Fields,
        names::suggestion,
        value::{Kind, Name, Table, Value},
    },
    put::{same, written},
};
use crate::search::{Coordinate, Dimension, Domain, Space};

/// Fields of a node that vary, and what lies in them.
const VARY: [&str; 4] = ["objective", "recipe", "net", "seed"];

/// Most values of one field.
const MOST: usize = 100_000;

/// One field.
#[derive(Clone, Debug)]
pub(in super::super) struct RawDimension {
    /// Its path: `recipe.optimizer.sgd.lr`.
    pub path: Vec<String>,
    /// Its path and where it is written.
    pub field: Name,
    /// The values of a list; of numbers, the value that says from where to where.
    pub values: Vec<Value>,
    pub dimension: Dimension,
}

impl RawDimension {
    /// The value at a coordinate; nothing where the field stays as it is.
    pub fn value(&self, coordinate: &Coordinate) -> Option<Value> {
        match *coordinate {
            Coordinate::Absent => None,
            Coordinate::Choice(index) => self.values.get(index).cloned(),
            Coordinate::Number(number) => {
                let whole = matches!(self.dimension.domain, Domain::Number { integer: true, .. });
                let kind = if whole { Kind::Integer(number as i64) } else { Kind::Float(number) };
                Some(Value { span: self.values[0].span.clone(), kind })
            }
        }
    }

    /// Coordinates that show whether all values may stand there.
    pub fn extremes(&self) -> Vec<Coordinate> {
        match self.dimension.domain {
            Domain::Choice(count) => (0..count).map(Coordinate::Choice).collect(),
            Domain::Number { low, high, .. } => {
                vec![Coordinate::Number(low), Coordinate::Number(high)]
            }
        }
    }
}

/// The space of its dimensions.
pub(super) fn space(dimensions: &[RawDimension]) -> Space {
    Space { dimensions: dimensions.iter().map(|d| d.dimension.clone()).collect() }
}

/// The dimensions under `table`, whose path from the node is `path`.
pub(super) fn read(
    table: &Table,
    path: &[String],
    fields: &mut Fields<'_, '_>,
    found: &mut Vec<RawDimension>,
) {
    for (name, value) in &table.0 {
        let mut path = path.to_vec();
        path.extend(name.text.split('.').map(str::to_owned));
        if !VARY.contains(&path[0].as_str()) {
            let help = match suggestion(&path[0], VARY) {
                near if near.starts_with("did") => near,
                _ => format!("what varies begins with one of: {}", VARY.join(", ")),
            };
            let message = format!("`{}` is not a hashed field of a node", path.join("."));
            fields.errors.push_help(&name.span, message, help);
            continue;
        }
        let is_leaf = |table: &Table| {
            table.get("from").is_some() || table.get("values").is_some() || table.0.is_empty()
        };
        match &value.kind {
            Kind::Table(inner) if !is_leaf(inner) => read(inner, &path, fields, found),
            _ => {
                let field = Name { text: path.join("."), span: name.span.clone() };
                found.extend(dimension(path, field, value, fields, found));
            }
        }
    }
}

fn dimension(
    path: Vec<String>,
    field: Name,
    value: &Value,
    fields: &mut Fields<'_, '_>,
    before: &[RawDimension],
) -> Option<RawDimension> {
    if before.iter().any(|known| known.field.text == field.text) {
        fields.errors.push(&field.span, format!("`{}` stands there twice", field.text));
    }
    let (values, domain, when) = match &value.kind {
        Kind::Array(items) => (items.clone(), Domain::Choice(items.len()), None),
        Kind::Table(table) => {
            let mut inner = Fields::new(table, &value.span, field.text.clone(), fields.errors);
            let listed = inner.take("values");
            let when = inner.take("when").cloned();
            let (values, domain) = match listed {
                Some(values) => {
                    let items = inner.array(values, "values").to_vec();
                    let count = items.len();
                    (items, Some(Domain::Choice(count)))
                }
                None => (vec![value.clone()], numbers(&mut inner)),
            };
            inner.finish();
            (values, domain?, when)
        }
        _ => {
            fields.wrong_type(value, "a list of values, or { from = …, to = … }");
            return None;
        }
    };
    if let Domain::Choice(0) = domain {
        fields.errors.push(&value.span, format!("`{}` has no values to try", field.text));
        return None;
    }
    for (place, item) in values.iter().enumerate() {
        if values[..place].iter().any(|other| same(other, item)) {
            let message = format!("`{}` stands there twice", written(item));
            fields.errors.push(&item.span, message);
        }
    }
    let when = match when {
        None => None,
        Some(when) => Some(condition(&when, fields, before)?),
    };
    Some(RawDimension { path, field, values, dimension: Dimension { domain, when } })
}

/// `{ from = 0.01, to = 1.0, log = true }`, `{ from = 0.05, to = 1.0, step = 0.05 }`.
fn numbers(inner: &mut Fields<'_, '_>) -> Option<Domain> {
    let any = |inner: &mut Fields<'_, '_>, key: &'static str| {
        let value = inner.require(key)?;
        let whole = matches!(value.kind, Kind::Integer(_));
        Some((inner.number(value, "a number", |_| true)?, whole, value.span.clone()))
    };
    let (low, high) = (any(inner, "from"), any(inner, "to"));
    let log_value = inner.take("log");
    let log = log_value.and_then(|value| inner.flag(value)).unwrap_or_default();
    let step_value = inner.take("step");
    let step = step_value.and_then(|v| inner.number(v, "a step above 0", |step| step > 0.0));
    let ((low, low_whole, low_span), (high, high_whole, high_span)) = (low?, high?);
    if low >= high {
        inner.errors.push(&high_span, format!("expected a number above `from`, which is {low}"));
        return None;
    }
    if let (Some(value), true) = (log_value, log) {
        if low <= 0.0 {
            let message = "`from` must be above 0 where `log = true`";
            inner.errors.push(&low_span, message);
            return None;
        }
        if step.is_some() {
            inner.errors.push(&value.span, "`log` and `step` exclude one another");
            return None;
        }
    }
    if let (Some(step), Some(value)) = (step, step_value)
        && (high - low) / step > MOST as f64
    {
        inner.errors.push(&value.span, format!("that makes more than {MOST} values"));
        return None;
    }
    let step_whole = step_value.is_none_or(|value| matches!(value.kind, Kind::Integer(_)));
    let integer = low_whole && high_whole && step_whole;
    let step = step.or_else(|| (integer && !log).then_some(1.0));
    Some(Domain::Number { low, high, log, step, integer })
}

/// `{ "recipe.optimizer" = [{ sgd = { … } }] }`: values of a field above at which this one varies.
fn condition(
    when: &Value,
    fields: &mut Fields<'_, '_>,
    before: &[RawDimension],
) -> Option<(usize, Vec<usize>)> {
    let Kind::Table(Table(entries)) = &when.kind else {
        fields.wrong_type(when, "a table: { \"FIELD\" = [VALUES] }");
        return None;
    };
    let [(name, wanted)] = entries.as_slice() else {
        fields
            .errors
            .push(&when.span, "expected one field above, in quotes, with some of its values");
        return None;
    };
    let place = before.iter().position(|known| known.field.text == name.text);
    let listed = place.filter(|&p| matches!(before[p].dimension.domain, Domain::Choice(_)));
    let Some(place) = listed else {
        let lists = before.iter().filter(|d| matches!(d.dimension.domain, Domain::Choice(_)));
        let help = suggestion(&name.text, lists.map(|known| &*known.field.text));
        let message = format!("`{}` is not a field above that has a list of values", name.text);
        fields.errors.push_help(&name.span, message, help);
        return None;
    };
    let wanted = match &wanted.kind {
        Kind::Array(items) => items.clone(),
        _ => vec![wanted.clone()],
    };
    let mut indices = Vec::new();
    for value in &wanted {
        match before[place].values.iter().position(|known| same(known, value)) {
            Some(index) => indices.push(index),
            None => {
                let message =
                    format!("`{}` is not among the values of `{}`", written(value), name.text);
                fields.errors.push(&value.span, message);
            }
        }
    }
    (indices.len() == wanted.len() && !indices.is_empty()).then_some((place, indices))
}
