//! Two entries of the cache.

use crate::{
    console::exit::Problem,
    key::Key,
    kinds::Kinds,
    metric::METRICS,
    plan::{Difference, differences},
    store::{Depth, Lookup, Manifest, Outcome, Provenance, Store},
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
    /// What of their making gives other last bits.
    provenance: Vec<Difference>,
}

#[derive(Serialize)]
struct Side {
    key: Key,
    node: String,
}

impl Diff {
    pub fn new(store: &Store, old: &Key, new: &Key) -> Result<Self, Problem> {
        let [old, new] = [manifest(store, old)?, manifest(store, new)?];
        let side = |manifest: &Manifest| Side {
            key: manifest.key(),
            node: manifest.provenance.node.clone(),
        };
        Ok(Self {
            old: side(&old),
            new: side(&new),
            inputs: differences(&old.inputs, &new.inputs, &Kinds::default()),
            outcome: compare(&outcome(&old.outcome), &outcome(&new.outcome)),
            provenance: compare(&makers(&old.provenance), &makers(&new.provenance)),
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
                text.extend(differences.iter().map(|difference| {
                    let verdict = verdict(difference).unwrap_or_default();
                    format!("  {difference}{verdict}\n")
                }));
            }
        }
        if !self.provenance.is_empty() {
            text += "made with other last bits\n";
            text.extend(self.provenance.iter().map(|difference| format!("  {difference}\n")));
        }
        text
    }
}

/// Which way a metric has changed.
fn verdict(difference: &Difference) -> Option<&'static str> {
    let metric = METRICS.iter().find(|metric| metric.name == difference.field)?;
    let [old, new] = [&difference.old, &difference.new].map(|value| value.parse::<f64>().ok());
    let is_better = metric.better.is_better(new? - old?)?;
    Some(if is_better { ": better" } else { ": worse" })
}

type Fields = Vec<(&'static str, String)>;

/// The fields that differ, in the old side's order and then the new one's.
fn compare(old: &Fields, new: &Fields) -> Vec<Difference> {
    let only_new = new.iter().filter(|(field, _)| old.iter().all(|(known, _)| known != field));
    let value = |side: &Fields, field| {
        let found = side.iter().find(|(name, _)| *name == field);
        found.map_or_else(|| "nothing".to_owned(), |(_, value)| value.clone())
    };
    let all = old.iter().chain(only_new).map(|&(field, _)| Difference {
        field: field.to_owned(),
        old: value(old, field),
        new: value(new, field),
    });
    all.filter(|difference| difference.old != difference.new).collect()
}

/// What last bits depend on beside the inputs.
fn makers(provenance: &Provenance) -> Fields {
    let cpu = provenance.cpu.clone().map(|cpu| ("cpu", cpu));
    let burn = [("device", provenance.device.clone()), ("burn", provenance.burn.clone())];
    burn.into_iter().chain(cpu).collect()
}

fn manifest(store: &Store, key: &Key) -> Result<Manifest, Problem> {
    match store.find(key, Depth::Manifest)? {
        Lookup::Whole(entry) => Ok(entry.manifest),
        Lookup::Damaged(problem) => {
            Err(Problem::Entry(format!("the entry {} is damaged: {problem}", key.short())))
        }
        Lookup::OtherVersion(version) => Err(Problem::Entry(format!(
            "the entry {} was written by another version of takd ({version}), which this one cannot read",
            key.short()
        ))),
        Lookup::Missing => {
            Err(Problem::Entry(format!("the entry {} is no longer in the cache", key.short())))
        }
    }
}

/// An outcome's numbers, for people; times are left out, since they differ anyway.
fn outcome(outcome: &Outcome) -> Fields {
    match outcome {
        Outcome::Network { parameters, selected_epoch, collapsed_epoch, seconds: _ } => {
            let epoch = selected_epoch.map_or("none".to_owned(), |epoch| epoch.to_string());
            let collapsed = collapsed_epoch.map(|epoch| ("collapsed_epoch", epoch.to_string()));
            let fields = [("parameters", parameters.to_string()), ("selected_epoch", epoch)];
            fields.into_iter().chain(collapsed).collect()
        }
        Outcome::Logits { samples, seconds: _ } => vec![("samples", samples.to_string())],
        Outcome::Metrics { metrics, seconds: _ } => {
            let numbers = metrics.iter().map(|(metric, value)| (metric.name, value.to_string()));
            numbers.chain([("samples", metrics.samples.to_string())]).collect()
        }
    }
}
