//! The columns that a table asks for: words, and accuracies of classes, which the data names.

use super::{
    fields::Fields,
    value::{Kind, Name, Value},
};
use crate::column::Column;

/// Before a class's name in a column.
const CLASS: &str = "class:";

/// A column as it is written.
pub(super) enum RawColumn {
    Of(Column, Name),
    /// The accuracy of the class with this name or number.
    Class(Name),
}

impl RawColumn {
    /// Those of a table that asks for none.
    pub fn usual(table: &Name) -> Vec<Self> {
        Column::usual().into_iter().map(|column| Self::Of(column, table.clone())).collect()
    }

    fn text(&self) -> &str {
        match self {
            Self::Of(column, _) => column.name(),
            Self::Class(name) => &name.text,
        }
    }

    /// Where it is asked for.
    pub fn name(&self) -> &Name {
        match self {
            Self::Of(_, name) | Self::Class(name) => name,
        }
    }
}

/// `["top1", "ece", "class:cat"]`.
pub(super) fn read(value: &Value, fields: &mut Fields<'_, '_>) -> Vec<RawColumn> {
    let words: Vec<_> = Column::all().into_iter().map(|column| (column.name(), column)).collect();
    let items = fields.array(value, "columns");
    let mut found: Vec<RawColumn> = Vec::new();
    for item in items {
        let class = match &item.kind {
            Kind::String(text) => text.strip_prefix(CLASS),
            _ => None,
        };
        let name = |text: &str| Name { text: text.to_owned(), span: item.span.clone() };
        let column = match class {
            Some(class) => RawColumn::Class(name(class)),
            None => match fields.word(item, &words) {
                Some(column) => RawColumn::Of(column, name(column.name())),
                None => continue,
            },
        };
        let same = |known: &RawColumn| {
            matches!(known, RawColumn::Of(..)) == class.is_none() && known.text() == column.text()
        };
        if found.iter().any(same) {
            let shown = class.map_or(String::new(), |_| CLASS.to_owned()) + column.text();
            fields.errors.push(&item.span, format!("`{shown}` stands there twice"));
        }
        found.push(column);
    }
    found
}
