//! Nodes that one table stands for.

use super::value::Name;
use std::{collections::HashMap, sync::Arc};

/// Of each node what it shares with the others of its matrix, chain or search: the start of their names, as a
/// glob (`sweep/*`). Nothing of a node whose table stands for it alone.
pub(super) fn groups<'a>(names: impl Iterator<Item = &'a Name> + Clone) -> Vec<Option<Arc<str>>> {
    // Whatever is written out of a table has that table's place in the file.
    let place = |name: &Name| (name.span.source, name.span.start);
    let mut tables = HashMap::<_, (usize, &str)>::new();
    for name in names.clone() {
        let (count, start) = tables.entry(place(name)).or_insert((0, &name.text));
        *count += 1;
        let alike = start.char_indices().zip(name.text.chars()).find(|((_, a), b)| a != b);
        let length = alike.map_or(start.len().min(name.text.len()), |((at, _), _)| at);
        *start = &start[..length];
    }
    let globs: HashMap<_, Arc<str>> = tables
        .into_iter()
        .filter(|(_, (count, start))| *count > 1 && !start.is_empty())
        .map(|(place, (_, start))| (place, format!("{start}*").into()))
        .collect();
    names.map(|name| globs.get(&place(name)).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::diagnostic::Span;

    #[test]
    fn nodes_of_one_table_share_the_start_of_their_names() {
        let name = |start, text: &str| {
            let span = Span { source: 0, start, end: start + 1 };
            Name { text: text.to_owned(), span }
        };
        let names =
            [name(0, "teacher"), name(9, "grün-0.1"), name(9, "grün-0.25"), name(9, "grün-2")];
        let groups = groups(names.iter());
        let glob = Some("grün-*");
        let told: Vec<Option<&str>> = groups.iter().map(Option::as_deref).collect();
        assert_eq!(told, [None, glob, glob, glob]);
    }
}
