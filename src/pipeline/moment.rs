//! Networks at an epoch: `teacher = "t@40"`, and `of = ["*", "*@last"]` in an eval.

use super::{
    diagnostic::Diagnostics,
    names::{is_glob, suggestion},
    tables::{RawLearn, RawMoment, RawPipeline, Role},
    value::Name,
};
use std::collections::{HashMap, HashSet};

/// Between a node's name and an epoch.
pub(super) const AT: char = '@';

/// Adds a node for each network at an epoch that teachers and evals name.
pub(super) fn add(raw: &mut RawPipeline, errors: &mut Diagnostics) {
    let written = raw.learns.len();
    let taught = raw.learns.iter().filter_map(|learn| learn.teacher.as_ref());
    let teachers = taught.flat_map(|teacher| teacher.names.iter().cloned());
    let measured = raw.evals.iter().flat_map(|eval| eval.of.iter().cloned());
    let asked: Vec<Name> = teachers.chain(measured).filter(|name| name.text.contains(AT)).collect();
    let places = raw.learns.iter().enumerate();
    let places: HashMap<String, usize> =
        places.map(|(place, learn)| (learn.name.text.clone(), place)).collect();
    let mut seen = HashSet::new();
    for name in asked {
        let Some((node, epoch)) = name.text.rsplit_once(AT) else { continue };
        let epoch = match epoch {
            "last" => None,
            number => match number.parse::<usize>().ok().filter(|&epoch| epoch > 0) {
                Some(epoch) => Some(epoch),
                None => {
                    let message = format!("`{number}` is not an epoch");
                    let help = "write a number from 1, or `last`: \"teacher@40\"";
                    raw.broken.insert(name.text.clone());
                    errors.push_help(&name.span, message, help);
                    continue;
                }
            },
        };
        let pattern = glob::Pattern::new(node).ok();
        let is_glob = is_glob(node);
        // What is imported has no epochs, and networks that learn together are kept once.
        let has_epochs = |learn: &&RawLearn| learn.weights.is_none() && learn.peers.is_none();
        let found: Vec<RawLearn> = match &pattern {
            Some(pattern) if is_glob => {
                let all = raw.learns[..written].iter().filter(has_epochs);
                let all = all.filter(|learn| learn.role != Role::Trial);
                all.filter(|learn| pattern.matches(&learn.name.text)).cloned().collect()
            }
            _ => places.get(node).map(|&place| raw.learns[place].clone()).into_iter().collect(),
        };
        if found.is_empty() && !raw.is_broken(node) {
            let names = raw.learns[..written].iter().map(|learn| &*learn.name.text);
            if is_glob {
                errors.push(&name.span, format!("`{node}` matches no node"));
            } else {
                let help = suggestion(node, names);
                errors.push_help(&name.span, format!("no node is named `{node}`"), help);
            }
            raw.broken.insert(name.text.clone());
        }
        for learn in found {
            let epoch_text = epoch.map_or("last".to_owned(), |epoch| epoch.to_string());
            let text = format!("{}{AT}{epoch_text}", learn.name.text);
            if seen.insert(text.clone()) {
                let of = learn.name.text.clone();
                let moment = Some(RawMoment { of, epoch, span: name.span.clone() });
                let name = Name { text, span: learn.name.span.clone() };
                raw.learns.push(RawLearn { name, moment, ..learn });
            }
        }
    }
}
