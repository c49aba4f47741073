//! Reading one table field by field: types, ranges, unknown keys, all reported together.

use super::{
    diagnostic::{Diagnostics, Span},
    names::suggestion,
    value::{Kind, Name, Table, Value},
};

/// A table that is being read; what is not taken is an unknown key.
pub(super) struct Fields<'t, 'e> {
    table: &'t Table,
    span: Span,
    /// What the table is, for messages: `recipe.plain`.
    what: String,
    known: Vec<&'static str>,
    pub errors: &'e mut Diagnostics,
}

impl<'t, 'e> Fields<'t, 'e> {
    pub fn new(
        table: &'t Table,
        span: &Span,
        what: impl Into<String>,
        errors: &'e mut Diagnostics,
    ) -> Self {
        Self { table, span: span.clone(), what: what.into(), known: Vec::new(), errors }
    }

    /// The value under `key`, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<&'t Value> {
        self.known.push(key);
        self.table.get(key)
    }

    /// The value under `key`; its absence is an error.
    pub fn require(&mut self, key: &'static str) -> Option<&'t Value> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("`{}` needs `{key}`", self.what);
            self.errors.push(&self.span, message);
        }
        found
    }

    /// Reports a key that has a meaning elsewhere, if it is there.
    pub fn refuse(&mut self, key: &'static str, message: &str, help: &str) -> bool {
        let found = self.table.get(key);
        if let Some(value) = found {
            self.known.push(key);
            self.errors.push_help(&value.span, message, help);
        }
        found.is_some()
    }

    /// Where the table is.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Where the value under `key` is.
    pub fn span_of(&self, key: &str) -> Option<Span> {
        self.table.get(key).map(|value| value.span.clone())
    }

    pub fn wrong_type(&mut self, value: &Value, want: &str) {
        self.errors.push(&value.span, format!("expected {want}, found {}", value.type_name()));
    }

    pub fn string(&mut self, value: &Value) -> Option<Name> {
        match &value.kind {
            Kind::String(text) => Some(Name { text: text.clone(), span: value.span.clone() }),
            _ => {
                self.wrong_type(value, "a string");
                None
            }
        }
    }

    /// The path of a file or a folder.
    pub fn path(&mut self, value: &Value) -> Option<Name> {
        let path = self.string(value)?;
        if path.text == "~" || path.text.starts_with("~/") {
            let help = "name the whole path, or one from the pipeline's folder";
            self.errors.push_help(&path.span, "`~` is not expanded in a pipeline", help);
            return None;
        }
        Some(path)
    }

    /// The text under `key`, if it is there.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key)?;
        self.string(value).map(|name| name.text)
    }

    pub fn flag(&mut self, value: &Value) -> Option<bool> {
        match value {
            Value { kind: Kind::Boolean(value), .. } => Some(*value),
            other => {
                self.wrong_type(other, "true or false");
                None
            }
        }
    }

    pub fn array<'v>(&mut self, value: &'v Value, of: &str) -> &'v [Value] {
        match &value.kind {
            Kind::Array(items) => items,
            _ => {
                self.wrong_type(value, &format!("an array of {of}"));
                &[]
            }
        }
    }

    pub fn strings(&mut self, value: &Value) -> Vec<Name> {
        let items = self.array(value, "strings");
        items.iter().filter_map(|item| self.string(item)).collect()
    }

    /// A whole number in `low..=high`.
    pub fn whole(&mut self, value: &Value, low: u64, high: u64) -> Option<u64> {
        let number = match value.kind {
            Kind::Integer(number) => u64::try_from(number).ok(),
            // A whole float means the same number: `5` and `5.0` are one value.
            Kind::Float(number) if number.fract() == 0.0 && (0.0..9e15).contains(&number) => {
                Some(number as u64)
            }
            Kind::Float(_) => None,
            _ => {
                self.wrong_type(value, "a whole number");
                return None;
            }
        };
        let inside = number.filter(|number| (low..=high).contains(number));
        if inside.is_none() {
            // Limits that only keep numbers inside their type are not worth naming.
            let range = if high >= u64::from(u32::MAX) {
                format!("of at least {low}")
            } else {
                format!("in {low}..={high}")
            };
            self.errors.push(&value.span, format!("expected a whole number {range}"));
        }
        inside
    }

    /// A finite number for which `ok` holds; `want` says what it asks.
    pub fn number(&mut self, value: &Value, want: &str, ok: impl Fn(f64) -> bool) -> Option<f64> {
        let number = match value.kind {
            Kind::Integer(number) => number as f64,
            Kind::Float(number) => number,
            _ => {
                self.wrong_type(value, "a number");
                return None;
            }
        };
        if number.is_finite() && ok(number) {
            // −0.0 and 0.0 are one value.
            return Some(number + 0.0);
        }
        self.errors.push(&value.span, format!("expected {want}, found {number}"));
        None
    }

    /// One of a fixed set of words.
    pub fn word<T: Copy>(&mut self, value: &Value, words: &[(&'static str, T)]) -> Option<T> {
        let name = self.string(value)?;
        let found = words.iter().find(|(word, _)| *word == name.text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let help = suggestion(&name.text, words.iter().map(|(word, _)| *word));
            self.errors.push_help(&name.span, format!("unknown word `{}`", name.text), help);
        }
        found
    }

    /// A table with exactly one key out of `choices`: `{ sgd = { lr = 0.1 } }`.
    pub fn choice<'v>(
        &mut self,
        value: &'v Value,
        choices: &[&'static str],
    ) -> Option<(&'static str, &'v Table, &'v Span)> {
        let list = choices.join(", ");
        let Kind::Table(Table(entries)) = &value.kind else {
            self.wrong_type(value, &format!("a table with one of: {list}"));
            return None;
        };
        let [(name, inner)] = entries.as_slice() else {
            self.errors.push(&value.span, format!("expected exactly one of: {list}"));
            return None;
        };
        let Some(&choice) = choices.iter().find(|choice| **choice == name.text) else {
            let help = suggestion(&name.text, choices.iter().copied());
            self.errors.push_help(&name.span, format!("unknown key `{}`", name.text), help);
            return None;
        };
        match &inner.kind {
            Kind::Table(table) => Some((choice, table, &inner.span)),
            _ => {
                self.wrong_type(inner, "a table");
                None
            }
        }
    }

    /// Reports every key that nobody took.
    pub fn finish(self) {
        for (name, _) in &self.table.0 {
            if !self.known.contains(&name.text.as_str()) {
                let help = suggestion(&name.text, self.known.iter().copied());
                let message = format!("unknown key `{}` in `{}`", name.text, self.what);
                self.errors.push_help(&name.span, message, help);
            }
        }
    }
}
