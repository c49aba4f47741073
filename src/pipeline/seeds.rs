//! Reading seeds.

use super::{diagnostic::Span, fields::Fields, value::Kind};
use std::collections::HashSet;

/// The seeds of a table, each once, and where they are said; `None` where they are not, or none is right.
pub(super) fn seeds(fields: &mut Fields<'_, '_>) -> Option<(Vec<u64>, Span)> {
    let value = fields.take("seeds")?;
    let items = fields.array(value, "seeds");
    // TOML's integers are signed.
    let seeds: Vec<u64> =
        items.iter().filter_map(|item| fields.whole(item, 0, i64::MAX as u64)).collect();
    if items.is_empty() && matches!(value.kind, Kind::Array(_)) {
        fields.errors.push(&value.span, "at least one seed is needed");
    }
    let mut seen = HashSet::new();
    for seed in &seeds {
        if !seen.insert(seed) {
            fields.errors.push(&value.span, format!("seed {seed} comes twice"));
        }
    }
    (!seeds.is_empty()).then(|| (seeds, value.span.clone()))
}
