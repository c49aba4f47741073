//! TOML as a tree in which every key and value knows where it stands.

use super::diagnostic::{Diagnostics, Sources, Span};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Array(Vec<Value>),
    Table(Table),
    /// Something that no field of a pipeline takes, such as a date.
    Other(&'static str),
}

/// Entries in the order of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(pub Vec<(Name, Value)>);

/// A key, or a string that names something, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub text: String,
    pub span: Span,
}

impl Value {
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::String(_) => "a string",
            Kind::Integer(_) => "an integer",
            Kind::Float(_) => "a float",
            Kind::Boolean(_) => "a boolean",
            Kind::Array(_) => "an array",
            Kind::Table(_) => "a table",
            Kind::Other(name) => name,
        }
    }
}

impl Table {
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name.text == key).map(|(_, value)| value)
    }
}

/// Deepest nesting that is read; real pipelines stay under ten.
const DEEPEST: usize = 64;

/// Parses the file and lays each `--set` over it.
pub(super) fn read(sources: &Sources, errors: &mut Diagnostics) -> Table {
    let mut root = Table::default();
    for (index, (_, text)) in sources.0.iter().enumerate() {
        let (table, problems) = DeTable::parse_recoverable(text);
        let broken = !problems.is_empty();
        for problem in problems {
            let range = problem.span().unwrap_or(0..0);
            errors.push(&Span::new(index, range), problem.message());
        }
        if index == 0 {
            root = convert_table(table.get_ref(), index, 0, errors);
        } else if !broken {
            overlay(&mut root, convert_table(table.get_ref(), index, 0, errors));
        }
    }
    root
}

/// Puts the entries of `over` into `base`; tables are merged, anything else is replaced.
fn overlay(base: &mut Table, over: Table) {
    for (name, value) in over.0 {
        match base.0.iter_mut().find(|(known, _)| known.text == name.text) {
            None => base.0.push((name, value)),
            Some((_, old)) => match (&mut old.kind, value) {
                (Kind::Table(old), Value { kind: Kind::Table(new), .. }) => overlay(old, new),
                (_, value) => *old = value,
            },
        }
    }
}

fn convert_table(
    table: &DeTable<'_>,
    source: usize,
    depth: usize,
    errors: &mut Diagnostics,
) -> Table {
    // A key that is missing before its `=` has been reported. (`""` is a key two bytes long.)
    let mut entries: Vec<_> = table
        .iter()
        .filter(|(key, _)| !key.span().is_empty())
        .map(|(key, value)| {
            let name =
                Name { text: key.get_ref().to_string(), span: Span::new(source, key.span()) };
            (name, convert(value, source, depth + 1, errors))
        })
        .collect();
    entries.sort_by_key(|(name, _)| name.span.start);
    Table(entries)
}

fn convert(
    value: &Spanned<DeValue<'_>>,
    source: usize,
    depth: usize,
    errors: &mut Diagnostics,
) -> Value {
    let span = Span::new(source, value.span());
    if depth > DEEPEST {
        errors.push(&span, format!("nested more than {DEEPEST} deep"));
        return Value { span, kind: Kind::Other("too deep") };
    }
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            match i64::from_str_radix(&digits, number.radix()) {
                Ok(number) => Kind::Integer(number),
                Err(_) => {
                    errors.push(&span, "an integer outside the 64-bit range");
                    Kind::Integer(0)
                }
            }
        }
        DeValue::Float(number) => {
            Kind::Float(number.as_str().replace('_', "").parse().unwrap_or(f64::NAN))
        }
        DeValue::Boolean(value) => Kind::Boolean(*value),
        DeValue::Datetime(_) => Kind::Other("a date"),
        DeValue::Array(items) => {
            Kind::Array(items.iter().map(|item| convert(item, source, depth + 1, errors)).collect())
        }
        DeValue::Table(table) => Kind::Table(convert_table(table, source, depth, errors)),
    };
    Value { span, kind }
}
