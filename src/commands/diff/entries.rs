//! Two entries of the cache.

use crate::{
    commands::exit::Problem,
    key::Key,
    plan::{Difference, differences},
    store::{Depth, Lookup, Manifest, Outcome, Store},
};
use serde::Serialize;

/// What differs between two entries.
#[derive(Serialize)]
pub(super) struct Diff {
    old: Side,
    new: Side,
    /// What went in.
    inputs: Vec<Difference>,
    /// What came out.
    outcome: Vec<Difference>,
}

#[derive(Serialize)]
struct Side {
    key: Key,
    node: String,
}

impl Diff {
    pub fn new(store: &Store, old: &Key, new: &Key) -> Result<Self, Problem> {
        let [old, new] = [manifest(store, old)?, manifest(store, new)?];
        let [before, after] = [outcome(&old.outcome), outcome(&new.outcome)];
        let fields = before.iter().map(|(field, _)| *field).collect::<Vec<_>>();
        let more = after.iter().map(|(field, _)| *field).filter(|field| !fields.contains(field));
        let value = |side: &[(&str, String)], field| {
            let found = side.iter().find(|(name, _)| *name == field);
            found.map_or_else(|| "nothing".to_owned(), |(_, value)| value.clone())
        };
        let all: Vec<&str> = fields.iter().copied().chain(more).collect();
        let outcome = all.into_iter().map(|field| Difference {
            field: field.to_owned(),
            old: value(&before, field),
            new: value(&after, field),
        });
        let side = |manifest: &Manifest| Side {
            key: manifest.key(),
            node: manifest.provenance.node.clone(),
        };
        Ok(Self {
            old: side(&old),
            new: side(&new),
            inputs: differences(&old.inputs, &new.inputs),
            outcome: outcome.filter(|difference| difference.old != difference.new).collect(),
        })
    }

    pub fn text(&self) -> String {
        let name = |side: &Side| format!("{} ({})", side.key.short(), side.node);
        let mut text = format!("{} → {}\n", name(&self.old), name(&self.new));
        for (head, differences) in [("inputs", &self.inputs), ("outcome", &self.outcome)] {
            if differences.is_empty() {
                text += &format!("the same {head}\n");
            } else {
                text += &format!("{head}\n");
                text.extend(differences.iter().map(|difference| format!("  {difference}\n")));
            }
        }
        text
    }
}

fn manifest(store: &Store, key: &Key) -> Result<Manifest, Problem> {
    match store.find(key, Depth::Manifest)? {
        Lookup::Whole(entry) => Ok(entry.manifest),
        Lookup::Damaged(problem) => {
            Err(Problem::Entry(format!("the entry {} is damaged: {problem}", key.short())))
        }
        Lookup::Missing => Err(Problem::Entry(format!("the entry {} has just gone", key.short()))),
    }
}

/// An outcome's numbers, for people; times are left out, since they differ anyway.
fn outcome(outcome: &Outcome) -> Vec<(&'static str, String)> {
    match outcome {
        Outcome::Network { parameters, selected_epoch, seconds: _ } => {
            let epoch = selected_epoch.map_or("none".to_owned(), |epoch| epoch.to_string());
            vec![("parameters", parameters.to_string()), ("selected_epoch", epoch)]
        }
        Outcome::Logits { samples, seconds: _ } => vec![("samples", samples.to_string())],
        Outcome::Metrics { metrics, seconds: _ } => vec![
            ("top1", metrics.top1.to_string()),
            ("loss", metrics.loss.to_string()),
            ("ece", metrics.ece.to_string()),
            ("entropy_at_temperature", metrics.entropy_at_temperature.to_string()),
            ("samples", metrics.samples.to_string()),
        ],
    }
}
