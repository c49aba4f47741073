//! TOML as a tree in which every key and value knows where it stands.

use super::{
    diagnostic::{Diagnostics, Sources, Span},
    names::suggestion,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value, and where it stands.
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

/// A key, or a string that names something, and where it stands.
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

/// Parses the file, lays the chosen preset over it, then each `--set`; what a `profile`, the second source,
/// says lies under all of them. The names of all presets come beside.
pub(super) fn read(
    sources: &Sources,
    preset: Option<&str>,
    profile: bool,
    errors: &mut Diagnostics,
) -> (Table, Vec<String>) {
    let mut root = Table::default();
    let mut presets = Vec::new();
    for (index, (_, text)) in sources.0.iter().enumerate() {
        let (table, problems) = DeTable::parse_recoverable(text);
        let broken = !problems.is_empty();
        for problem in problems {
            let range = problem.span().unwrap_or(0..0);
            errors.push(&Span::new(index, range), problem.message());
        }
        if index == 0 {
            root = convert_table(table.get_ref(), index, 0, errors);
            presets = take_presets(&mut root, preset, errors);
        } else if profile && index == 1 {
            lay_under(&mut root, convert_table(table.get_ref(), index, 0, errors), errors);
        } else if !broken {
            overlay(&mut root, convert_table(table.get_ref(), index, 0, errors), 0);
        }
    }
    (root, presets)
}

/// Puts what a profile says of executors under what the file says.
fn lay_under(root: &mut Table, profile: Table, errors: &mut Diagnostics) {
    for (name, value) in profile.0 {
        if name.text != "executor" {
            let help = "takd.toml holds [executor.slurm], for all pipelines of its folder";
            let message = format!("unknown key `{}` in takd.toml", name.text);
            errors.push_help(&name.span, message, help);
            continue;
        }
        let mut under = Table(vec![(name, value)]);
        if let Some(place) = root.0.iter().position(|(name, _)| name.text == "executor") {
            let over = root.0.remove(place);
            overlay(&mut under, Table(vec![over]), 0);
        }
        root.0.extend(under.0);
    }
}

/// Takes `[preset.NAME]` tables out of a file and lays the chosen one over it.
fn take_presets(root: &mut Table, chosen: Option<&str>, errors: &mut Diagnostics) -> Vec<String> {
    let preset = root.0.iter().position(|(name, _)| name.text == "preset");
    let presets = match preset.map(|index| root.0.remove(index).1) {
        None => Vec::new(),
        Some(Value { kind: Kind::Table(Table(presets)), .. }) => presets,
        Some(other) => {
            let message =
                format!("expected tables such as [preset.NAME], found {}", other.type_name());
            errors.push(&other.span, message);
            Vec::new()
        }
    };
    let names: Vec<String> = presets.iter().map(|(name, _)| name.text.clone()).collect();
    for (name, value) in presets {
        match value.kind {
            Kind::Table(table) if Some(name.text.as_str()) == chosen => {
                overlay(root, table, 0);
            }
            Kind::Table(_) => {}
            _ => errors.push(&value.span, format!("expected a table, found {}", value.type_name())),
        }
    }
    if let Some(chosen) = chosen.filter(|chosen| !names.iter().any(|name| name == chosen)) {
        let start = Span { source: 0, start: 0, end: 0 };
        let help = suggestion(chosen, names.iter().map(String::as_str));
        errors.push_help(&start, format!("no preset is named `{chosen}`"), help);
    }
    names
}

/// Fields of `[KIND.NAME]` whose table holds one kind of several, as `{ sgd = { … } }` does.
const ONE_OF: [&str; 3] = ["optimizer", "schedule", "objective"];

/// Fields of `[KIND.NAME]` that take the place of another.
const INSTEAD: [(&str, &str); 5] = [
    ("layers", "like"),
    ("layers", "shortcut"),
    ("like", "layers"),
    ("weights", "recipe"),
    ("recipe", "weights"),
];

/// Puts the entries of `over` into `base`, which lies `depth` tables below the root; tables are
/// merged, anything else is replaced. What can only be one of several is replaced by another kind.
fn overlay(base: &mut Table, over: Table, depth: usize) {
    let of_a_name = depth == 2;
    if of_a_name {
        let out = |name: &Name| {
            let stands = |new: &str| over.get(new).is_some();
            INSTEAD.iter().any(|(new, old)| *old == name.text && stands(new) && !stands(old))
        };
        base.0.retain(|(name, _)| !out(name));
    }
    for (name, value) in over.0 {
        let Some((_, old)) = base.0.iter_mut().find(|(known, _)| known.text == name.text) else {
            base.0.push((name, value));
            continue;
        };
        match (&mut old.kind, value) {
            (Kind::Table(old), Value { kind: Kind::Table(new), .. })
                if !(of_a_name && ONE_OF.contains(&&*name.text) && other_kind(old, &new)) =>
            {
                overlay(old, new, depth + 1);
            }
            (_, value) => *old = value,
        }
    }
}

/// Whether `new` names a kind that `old` does not.
fn other_kind(old: &Table, new: &Table) -> bool {
    new.0.iter().any(|(name, _)| old.get(&name.text).is_none())
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
