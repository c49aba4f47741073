//! The reference of the kinds, as Markdown, from the tables of their fields: a part of
//! `docs/pipeline.md`.

use crate::{
    architecture::form,
    kind::{Bound, Field, Kind, Range},
    kinds::Kinds,
    layer::Layer,
};

/// The reference, from the first heading to a line break at its end.
pub fn reference(kinds: &Kinds) -> String {
    let Kinds { supervised, distillation, optimizers, schedules, augments, layers, formats } =
        kinds;
    let mut text = String::new();
    text += &sort("Losses of `[train.NAME]`: `objective`", supervised);
    text += &sort("Objectives of `[distill.NAME]` and `[chain.NAME]`: `objective`", distillation);
    text += &sort("Optimizers: `optimizer`", optimizers);
    text += &sort("Schedules: `schedule`", schedules);
    text += &sort("Augmentation: `augment`", augments);
    text += &self::layers(layers);
    text += &sort("Data formats: `format`", formats);
    text.trim_start().to_owned()
}

/// Layers are written as one text.
fn layers(kinds: &[&'static Kind<dyn Layer>]) -> String {
    let mut text =
        "\n### Layers: `layers`\n\n| layer | what it is | source |\n|---|---|---|\n".to_owned();
    for kind in kinds {
        let Kind { doc, source, .. } = kind;
        text += &format!("| `{}` | {doc} | {source} |\n", form(kind));
    }
    text
}

fn sort<T: ?Sized>(title: &str, kinds: &[&'static Kind<T>]) -> String {
    let mut text = format!("\n### {title}\n\n");
    for kind in kinds {
        text += &format!("`{}`: {} ({}).\n\n", kind.name, kind.doc, kind.source);
        if kind.fields.is_empty() {
            continue;
        }
        text += "| field | values | default | meaning |\n|---|---|---|---|\n";
        for field in kind.fields {
            let default = field.default.map(|default| format!("`{}`", default.words()));
            text += &format!(
                "| `{}` | {} | {} | {} |\n",
                field.name,
                values(field),
                default.unwrap_or_else(|| "needed".to_owned()),
                field.doc
            );
        }
        text += "\n";
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn values(field: &Field) -> String {
    match field.range {
        Range::Number { low, high, .. } => match (low, high) {
            (Bound::Free, Bound::Free) => "a number".to_owned(),
            (Bound::At(low), Bound::Free) => format!("{low} or more"),
            (Bound::Past(low), Bound::Free) => format!("above {low}"),
            (Bound::Free, Bound::At(high)) => format!("{high} or less"),
            (Bound::Free, Bound::Past(high)) => format!("below {high}"),
            (low, high) => {
                let (open, low) = match low {
                    Bound::Past(low) => ('(', low),
                    Bound::At(low) => ('[', low),
                    Bound::Free => ('(', f64::NEG_INFINITY),
                };
                let (high, close) = match high {
                    Bound::Past(high) => (high, ')'),
                    Bound::At(high) => (high, ']'),
                    Bound::Free => (f64::INFINITY, ')'),
                };
                format!("in {open}{low}, {high}{close}")
            }
        },
        Range::Whole { low, high } => format!("whole, {low} to {high}"),
        Range::Flag => "true or false".to_owned(),
        Range::Word(words) => {
            words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(" or ")
        }
        Range::Shares => "two numbers in [0, 1)".to_owned(),
        Range::Epochs => "epochs, from 1".to_owned(),
        Range::Text => "a string".to_owned(),
        Range::Texts => "strings".to_owned(),
    }
}
