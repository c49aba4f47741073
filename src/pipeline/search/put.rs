//! Values laid into a table by dotted paths.

use super::super::{
    diagnostic::{Diagnostics, Span},
    value::{Kind, Name, Table, Value},
};

/// Puts `value` where `path` points to in `at`, which the message calls `what`; tables on the way are made.
/// `span` is where the path is written.
pub(super) fn put(
    at: &mut Value,
    path: &[&str],
    value: &Value,
    (what, span): (&str, &Span),
    errors: &mut Diagnostics,
) {
    let Some((first, rest)) = path.split_first() else {
        *at = value.clone();
        return;
    };
    let inner = match &mut at.kind {
        Kind::Table(Table(entries)) => {
            let known = entries.iter().position(|(name, _)| name.text == **first);
            let place = known.unwrap_or_else(|| {
                let empty = Value { span: span.clone(), kind: Kind::Table(Table::default()) };
                entries.push((Name { text: (*first).to_owned(), span: span.clone() }, empty));
                entries.len() - 1
            });
            Some(&mut entries[place].1)
        }
        Kind::Array(items) => first.parse::<usize>().ok().and_then(|place| items.get_mut(place)),
        _ => None,
    };
    match inner {
        Some(inner) => put(inner, rest, value, (&format!("{what}.{first}"), span), errors),
        None => {
            let help = "a path leads through tables, and through lists by numbers from 0";
            errors.push_help(span, format!("`{what}` has no `{first}`"), help);
        }
    }
}

/// A value on one line, as it would be written.
pub(super) fn written(value: &Value) -> String {
    match &value.kind {
        Kind::String(text) => text.clone(),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => format!("{number}"),
        Kind::Boolean(flag) => flag.to_string(),
        Kind::Array(items) => {
            format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        Kind::Table(Table(entries)) => {
            let inner =
                entries.iter().map(|(name, value)| format!("{} = {}", name.text, written(value)));
            format!("{{ {} }}", inner.collect::<Vec<_>>().join(", "))
        }
        Kind::Other(name) => (*name).to_owned(),
    }
}

/// Whether two values are written alike, wherever they stand: `5` and `5.0` are one.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Integer(a), Kind::Float(b)) | (Kind::Float(b), Kind::Integer(a)) => *a as f64 == *b,
        _ => written(one) == written(other),
    }
}
