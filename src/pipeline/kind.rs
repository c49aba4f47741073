//! Reading a kind by the table of its fields: `{ sgd = { lr = 0.1 } }`.

use super::{
    fields::Fields,
    value::{Kind as Type, Value},
};
use crate::kind::{Choice, Conflict, Field, Kind, Range};
use serde_json::{Value as Json, json};

/// Most epochs that anything waits for.
pub(super) const MOST_EPOCHS: u64 = 1_000_000;

impl Fields<'_, '_> {
    /// One of `kinds` with its fields.
    pub fn kind<T: ?Sized>(
        &mut self,
        value: &Value,
        kinds: &[&'static Kind<T>],
    ) -> Option<Choice<T>> {
        let names: Vec<&'static str> = kinds.iter().map(|kind| kind.name).collect();
        let (name, table, span) = self.choice(value, &names)?;
        let kind = kinds.iter().find(|kind| kind.name == name)?;
        let mut fields = Fields::new(table, span, name, self.errors);
        let choice = fields.of_kind(kind);
        fields.finish();
        choice
    }

    /// A kind whose fields are among those of this table.
    pub fn of_kind<T: ?Sized>(&mut self, kind: &'static Kind<T>) -> Option<Choice<T>> {
        let mut given = Some(Vec::new());
        for field in kind.fields {
            let value = match field.default {
                None => self.require(field.name),
                Some(_) => self.take(field.name),
            };
            let read = match value {
                Some(value) => self.scalar(value, field),
                None if field.default.is_some() => continue,
                None => None,
            };
            match (read, &mut given) {
                (Some(read), Some(given)) => given.push((field.name.to_owned(), read)),
                _ => given = None,
            }
        }
        match kind.choose(&given?) {
            Ok(choice) => Some(choice),
            Err(Conflict { message, field, help }) => {
                let span =
                    field.and_then(|field| self.span_of(field)).unwrap_or_else(|| self.span());
                match help {
                    Some(help) => self.errors.push_help(&span, message, help),
                    None => self.errors.push(&span, message),
                }
                None
            }
        }
    }

    /// A list of `kinds`, each by its name, or with its fields.
    pub fn kinds<T: ?Sized>(
        &mut self,
        value: &Value,
        kinds: &[&'static Kind<T>],
    ) -> Vec<(Choice<T>, super::diagnostic::Span)> {
        let quoted: Vec<String> = kinds.iter().map(|kind| format!("{:?}", kind.name)).collect();
        let (last, first) = quoted.split_last().map_or(("", &[][..]), |(last, f)| (last, f));
        let items = self.array(value, &format!("{} and {last}", first.join(", ")));
        let mut found = Vec::new();
        for item in items {
            let choice = match &item.kind {
                Type::Table(_) => self.kind(item, kinds),
                _ => {
                    let words: Vec<(&str, usize)> =
                        kinds.iter().map(|kind| kind.name).zip(0..).collect();
                    let named = self.word(item, &words).map(|index| kinds[index]);
                    named.and_then(|kind| match kind.choose(&[]) {
                        Ok(choice) => Some(choice),
                        Err(conflict) => {
                            self.errors.push(&item.span, conflict.to_string());
                            None
                        }
                    })
                }
            };
            found.extend(choice.map(|choice| (choice, item.span.clone())));
        }
        found
    }

    /// The value of a field, in its range.
    fn scalar(&mut self, value: &Value, field: &Field) -> Option<Json> {
        match field.range {
            Range::Number { low, high, want } => self
                .number(value, want, |n| low.is_below(n) && high.is_above(n))
                .map(|number| json!(number)),
            Range::Whole { low, high } => self.whole(value, low, high).map(|number| json!(number)),
            Range::Flag => self.flag(value).map(|flag| json!(flag)),
            Range::Word(words) => {
                let words: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
                self.word(value, &words).map(|word| json!(word))
            }
            Range::Shares => {
                let items = self.array(value, "two numbers");
                let want = "a number in [0, 1)";
                let read: Vec<f64> = items
                    .iter()
                    .filter_map(|item| self.number(item, want, |b| (0.0..1.0).contains(&b)))
                    .collect();
                if items.len() != 2 {
                    self.errors.push(&value.span, "expected two numbers");
                }
                <[f64; 2]>::try_from(read).ok().map(|pair| json!(pair))
            }
            Range::Epochs => {
                let items = self.array(value, "epochs");
                let mut epochs: Vec<u64> =
                    items.iter().filter_map(|item| self.whole(item, 1, MOST_EPOCHS)).collect();
                epochs.sort_unstable();
                matches!(value.kind, Type::Array(_)).then(|| json!(epochs))
            }
            Range::Text => self.string(value).map(|text| json!(text.text)),
            Range::Texts => {
                let texts: Vec<String> =
                    self.strings(value).into_iter().map(|text| text.text).collect();
                matches!(value.kind, Type::Array(_)).then(|| json!(texts))
            }
        }
    }
}
