//! `takd cache list`.

use super::variants::variants;
use crate::{
    console::{
        Given,
        exit::{self, Problem},
        print, print_json, short,
    },
    dataset::Split,
    key::{Key, NetInputs, keys},
    kinds::Kinds,
    network::{BUILTIN, builtin},
    pipeline::Work,
    store::{Depth, Entry, Lookup, Outcome, Store, now},
};
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use indicatif::HumanBytes;
use serde::Serialize;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

#[derive(clap::Args)]
pub(in crate::commands) struct Args {
    /// Pipelines that tell names of networks and data, and which entries they use
    files: Vec<PathBuf>,
    /// The column to sort by; sizes, ages and accuracies the largest first
    #[arg(long, value_enum, default_value = "name", value_name = "COLUMN")]
    sort: Sort,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    given: Given,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    Name,
    Net,
    Data,
    Accuracy,
    Size,
    Age,
}

/// An entry as it is listed.
#[derive(Serialize)]
struct Row {
    key: Key,
    /// `train`, `eval`; of what cannot be used `damaged`, `other` or `unread`.
    kind: String,
    /// The node and seed that made it; of what cannot be used, why.
    name: String,
    net: Option<String>,
    data: Option<String>,
    /// Top-1 as a share: an eval's own, of a network that on the test split.
    accuracy: Option<f64>,
    /// What tells it from other entries of its node.
    variant: Option<String>,
    bytes: u64,
    /// Seconds since it was made.
    age: Option<u64>,
    used_by: BTreeSet<String>,
}

/// What pipelines call the network and the data of an entry, and which they are.
#[derive(Default)]
struct Named {
    net: Option<String>,
    data: Option<String>,
    pipelines: BTreeSet<String>,
}

pub(super) fn list(args: &Args, store: &Store) -> Result<u8, Problem> {
    let named = named(args, store)?;
    let mut rows = rows(store, &named)?;
    rows.sort_by(|a, b| order(args.sort, a, b).then_with(|| a.name.cmp(&b.name)));
    if args.json {
        print_json(&rows)?;
        return Ok(exit::OK);
    }
    let total: u64 = rows.iter().map(|row| row.bytes).sum();
    let ies = if rows.len() == 1 { "y" } else { "ies" };
    let (table, root) = (table(&rows, !args.files.is_empty()), store.root().display());
    print(&format!("{table}{} entr{ies}, {}, in {root}\n", rows.len(), HumanBytes(total)))?;
    Ok(exit::OK)
}

/// What the pipelines say of the keys that they reach.
fn named(args: &Args, store: &Store) -> Result<HashMap<Key, Named>, Problem> {
    let mut named = HashMap::<Key, Named>::new();
    for file in &args.files {
        let session = args.given.opening(file).session(store.clone())?;
        let (graph, pipeline) = (session.graph(), &session.pipeline);
        for (task, (inputs, key)) in keys(&graph).into_iter().enumerate() {
            let logits = inputs.teacher_logits();
            let learn = match &pipeline.nodes[graph.tasks[task].node].work {
                Work::Learn(learn) => learn,
                Work::Eval(eval) => pipeline.learn(eval.of),
            };
            let one = named.entry(key).or_default();
            one.net = Some(learn.net_name.clone());
            one.data = Some(learn.data_name.clone());
            one.pipelines.insert(pipeline.name.clone());
            for logits in logits {
                let one = named.entry(logits.key()).or_default();
                one.data = Some(learn.data_name.clone());
                one.pipelines.insert(pipeline.name.clone());
            }
        }
    }
    Ok(named)
}

/// A row for each entry; what others of the cache tell of it is filled in once all are known.
fn rows(store: &Store, named: &HashMap<Key, Named>) -> Result<Vec<Row>, Problem> {
    let (mut rows, kinds) = (Vec::new(), Kinds::default());
    // Of networks: what they are, and how accurate on test images.
    let (mut nets, mut tested) = (HashMap::<Key, String>::new(), HashMap::<Key, f64>::new());
    let (mut parents, mut configs) = (HashMap::<Key, Key>::new(), Vec::new());
    for key in store.keys()? {
        let row = match store.find(&key, Depth::Manifest) {
            Err(error) => unusable(key, "unread", error.to_string()),
            Ok(Lookup::Missing) => continue,
            Ok(Lookup::Damaged(problem)) => unusable(key, "damaged", problem),
            Ok(Lookup::OtherVersion(version)) => unusable(key, "other", version),
            Ok(Lookup::Whole(entry)) => {
                let row = whole(key, &entry);
                let inputs = &entry.manifest.inputs;
                configs.push((key, row.name.clone(), inputs.in_full(&kinds)));
                nets.extend(inputs.net.as_ref().map(|net| (key, described(net))));
                // A distillation's parents are its teachers.
                if let Some(of) = inputs.parents.first().filter(|_| inputs.net.is_none()) {
                    parents.insert(key, *of);
                    let test = inputs.split == Some(Split::Test);
                    tested.extend(row.accuracy.filter(|_| test).map(|accuracy| (*of, accuracy)));
                }
                row
            }
        };
        rows.push(row);
    }
    let mut variants = variants(&configs);
    for row in &mut rows {
        row.variant = variants.remove(&row.key);
        let of = parents.get(&row.key).unwrap_or(&row.key);
        row.net = nets.get(of).cloned();
        row.accuracy = row.accuracy.or_else(|| tested.get(&row.key).copied());
        let Some(Named { net, data, pipelines }) = named.get(&row.key) else { continue };
        row.net = net.clone().or(row.net.take());
        row.data = data.clone().or(row.data.take());
        row.used_by = pipelines.clone();
    }
    Ok(rows)
}

fn unusable(key: Key, kind: &str, why: String) -> Row {
    let (kind, used_by) = (kind.to_owned(), BTreeSet::new());
    let (net, data, accuracy, variant, bytes, age) = (None, None, None, None, 0, None);
    Row { key, kind, name: why, net, data, accuracy, variant, bytes, age, used_by }
}

fn whole(key: Key, entry: &Entry) -> Row {
    let manifest = &entry.manifest;
    let accuracy = match &manifest.outcome {
        Outcome::Metrics { metrics, .. } => Some(metrics.top1()),
        Outcome::Network { .. } | Outcome::Logits { .. } => None,
    };
    let data = manifest.inputs.data.as_ref();
    let digest = data.and_then(|data| data.train.as_ref().or(data.test.as_ref()));
    Row {
        key,
        kind: manifest.inputs.kind.to_string(),
        name: manifest.provenance.node.clone(),
        net: None,
        // Names of data sets are no part of a key, and so of no entry.
        data: digest.map(|digest| digest.chars().take(8).collect()),
        accuracy,
        variant: None,
        bytes: entry.bytes(),
        age: Some(now().saturating_sub(manifest.provenance.finished)),
        used_by: BTreeSet::new(),
    }
}

/// A network by its built-in name, or by its layers.
fn described(net: &NetInputs) -> String {
    let is = |name: &&&str| builtin(name, net.classes).is_some_and(|layers| layers == net.layers);
    match (BUILTIN.iter().find(is), &*net.layers) {
        (Some(name), _) => (**name).to_owned(),
        (None, [first, .., last]) => format!("{first} … {last}"),
        (None, layers) => layers.join(" "),
    }
}

fn order(by: Sort, a: &Row, b: &Row) -> Ordering {
    match by {
        Sort::Name => Ordering::Equal,
        Sort::Net => a.net.cmp(&b.net),
        Sort::Data => a.data.cmp(&b.data),
        Sort::Accuracy => b.accuracy.unwrap_or(-1.0).total_cmp(&a.accuracy.unwrap_or(-1.0)),
        Sort::Size => b.bytes.cmp(&a.bytes),
        Sort::Age => b.age.cmp(&a.age),
    }
}

/// Columns to the right.
const NUMBERS: std::ops::Range<usize> = 5..8;

fn table(rows: &[Row], with_pipelines: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    let mut heads = vec!["key", "kind", "node", "net", "data", "accuracy", "size", "age"];
    let with_variants = rows.iter().any(|row| row.variant.is_some());
    heads.extend(with_variants.then_some("variant"));
    heads.extend(with_pipelines.then_some("used by"));
    table.load_style(NOTHING).set_header(heads);
    for row in rows {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        let accuracy = row.accuracy.map(|share| format!("{:.2} %", share * 100.0));
        let mut cells = vec![
            row.key.short(),
            row.kind.clone(),
            row.name.clone(),
            or_dash(&row.net),
            or_dash(&row.data),
            or_dash(&accuracy),
            HumanBytes(row.bytes).to_string(),
            row.age.map_or_else(|| "–".to_owned(), |seconds| short(seconds as f64)),
        ];
        cells.extend(with_variants.then(|| or_dash(&row.variant)));
        let used: Vec<&str> = row.used_by.iter().map(String::as_str).collect();
        let used = if used.is_empty() { "–".to_owned() } else { used.join(", ") };
        cells.extend(with_pipelines.then_some(used));
        table.add_row(cells);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if NUMBERS.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_padding((0, 2));
    }
    table.to_string().lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
