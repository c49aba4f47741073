//! Searches and choices, in an order in which each finds what it starts from.

use super::{
    choose::{self, Choose, RawChoose},
    diagnostic::Diagnostics,
    search::{self, Context, RawSearch, Search},
    tables::RawPipeline,
    value::Name,
};
use std::collections::HashSet;

/// A table that adds nodes once something is known.
enum Item {
    Search(RawSearch),
    Choose(RawChoose),
}

/// Writes out what is decided; what is not decided yet is left out, and so is what needs it.
pub(super) fn decide(
    raw: &mut RawPipeline,
    context: Context<'_>,
    errors: &mut Diagnostics,
) -> (Vec<Search>, Vec<Choose>) {
    let searches = std::mem::take(&mut raw.searches).into_iter().map(Item::Search);
    let choices = std::mem::take(&mut raw.choices).into_iter().map(Item::Choose);
    let mut left: Vec<Item> = searches.chain(choices).collect();
    let (mut searches, mut choices) = (Vec::new(), Vec::new());
    // In the order of the file, as far as one does not start from another.
    while !left.is_empty() {
        let others: Vec<HashSet<String>> = left.iter().map(Item::provides).collect();
        let waits = |place: usize| {
            let needs = left[place].needs(raw);
            let mut all = others.iter().enumerate();
            all.any(|(other, names)| other != place && !names.is_disjoint(&needs))
        };
        let next = (0..left.len()).find(|&place| !waits(place));
        let item = left.remove(next.unwrap_or(0));
        if next.is_none() {
            let message = format!("`{}` starts from what needs it", item.name().text);
            errors.push(&item.name().span, message);
        }
        if !item.needs(raw).is_disjoint(&raw.pending) {
            raw.pending.extend(item.provides());
            continue;
        }
        let before = errors.list().len();
        match &item {
            Item::Search(search) => {
                let found = search::expand(raw, search, context, errors);
                for method in found.iter().flat_map(|found| &found.methods) {
                    if method.best.is_none() {
                        raw.pending.insert(method.winner.clone());
                    }
                }
                searches.extend(found);
            }
            Item::Choose(choose) => {
                let found = choose::expand(raw, choose, context, errors);
                match found.as_ref().and_then(|found| found.chosen.clone()) {
                    Some(chosen) => raw.call(&choose.name, chosen),
                    None => drop(raw.pending.insert(choose.name.text.clone())),
                }
                choices.extend(found);
            }
        }
        if errors.list().len() > before {
            raw.broken.extend(item.provides());
        }
    }
    raw.leave_out_pending();
    (searches, choices)
}

impl Item {
    fn name(&self) -> &Name {
        match self {
            Self::Search(search) => &search.name,
            Self::Choose(choose) => &choose.name,
        }
    }

    /// Names that mean something at its end.
    fn provides(&self) -> HashSet<String> {
        match self {
            Self::Search(RawSearch { name, methods, .. }) => {
                methods.iter().map(|(node, _)| format!("{}/{}", name.text, node.text)).collect()
            }
            Self::Choose(choose) => HashSet::from([choose.name.text.clone()]),
        }
    }

    /// Names of the nodes that it starts from, and of all that they learn from.
    fn needs(&self, raw: &RawPipeline) -> HashSet<String> {
        let mut open: Vec<String> = match self {
            Self::Search(search) => search.methods.iter().map(|(n, _)| n.text.clone()).collect(),
            Self::Choose(choose) => {
                let named = choose.from.iter().chain(choose.student());
                let named = named.map(|name| name.text.clone());
                choose::meant(raw, choose).into_iter().chain(named).collect()
            }
        };
        let mut found = HashSet::new();
        while let Some(name) = open.pop() {
            let node = raw.learns.iter().find(|node| node.name.text == name);
            if found.insert(name)
                && let Some(node) = node
            {
                let teachers = node.teacher.iter().flat_map(|teacher| &teacher.names);
                open.extend(teachers.map(|name| name.text.clone()));
            }
        }
        found
    }
}
