//! Reading how much of a teacher's logits is stored.

use super::{diagnostic::Span, fields::Fields, value::Kind as Type};
use crate::keep::Keep;

/// Most logits of a row that are worth a place for each class.
const MOST: u64 = 1000;

/// `logits = { keep = "f16" }`, or `{ keep = "top", top = 10 }`, and where it stands.
pub(super) fn keep(fields: &mut Fields<'_, '_>) -> Option<(Keep, Span)> {
    let value = fields.take("logits")?;
    let Type::Table(table) = &value.kind else {
        fields.wrong_type(value, "a table: { keep = \"f16\" }");
        return None;
    };
    let mut inner = Fields::new(table, &value.span, "logits", fields.errors);
    let word = inner
        .require("keep")
        .and_then(|value| inner.word(value, &[("f32", "f32"), ("f16", "f16"), ("top", "top")]));
    let count = inner.take("top");
    let top = count.and_then(|value| inner.whole(value, 1, MOST));
    let keep = match (word, count) {
        (Some("top"), None) => {
            let help = "top = 10 keeps the ten largest of each row";
            inner.errors.push_help(&value.span, "`keep = \"top\"` needs `top`", help);
            None
        }
        (Some("top"), Some(_)) => top.map(|top| Keep::Top(top as usize)),
        (Some(_), Some(count)) => {
            inner.errors.push(&count.span, "`top` belongs to `keep = \"top\"`");
            None
        }
        (word, None) => word.map(|word| if word == "f16" { Keep::F16 } else { Keep::F32 }),
        (None, Some(_)) => None,
    };
    inner.finish();
    keep.map(|keep| (keep, value.span.clone()))
}
