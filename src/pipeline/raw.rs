//! Reading the tables of a pipeline.

use super::{
    adjust::Adjust,
    choose,
    columns::{self, RawColumn},
    data::{self, Folders},
    diagnostic::{Diagnostics, Span},
    executor, expand,
    fields::Fields,
    figure::raw as figure,
    hyper, keep, mutual, names, search,
    seeds::seeds,
    tables::{RawEval, RawLearn, RawPipeline, RawRow, RawTable, Role},
    teachers,
    value::{Kind, Name, Table, Value},
};
use crate::{dataset::Split, kinds::Kinds, objective::CrossEntropy};

/// Most trainings, measurements and rows, all seeds together.
const MOST_TASKS: usize = 1_000_000;

const KINDS: [&str; 12] = [
    "data", "recipe", "net", "train", "distill", "chain", "mutual", "eval", "table", "figure",
    "search", "choose",
];
const NODE_KINDS: [&str; 5] = ["train", "distill", "chain", "mutual", "eval"];

pub(super) fn read(
    root: &Table,
    folders: Folders<'_>,
    kinds: &Kinds,
    errors: &mut Diagnostics,
) -> RawPipeline {
    let mut raw = RawPipeline::default();
    let span = Span { source: 0, start: 0, end: 0 };
    let mut fields = Fields::new(root, &span, "the pipeline", errors);
    [raw.name, raw.paper_note] = ["name", "paper_note"].map(|key| fields.text(key));
    raw.seeds = seeds(&mut fields).map_or_else(|| vec![0], |(seeds, _)| seeds);
    raw.on_collapse = hyper::on_collapse(&mut fields);
    raw.slurm = fields
        .take("executor")
        .map(|value| executor::read(value, fields.errors))
        .unwrap_or_default();
    let tables = KINDS.map(|kind| (kind, fields.take(kind)));
    fields.finish();
    for (kind, value) in tables {
        let Some(value) = value else { continue };
        let Kind::Table(tables) = &value.kind else {
            let message =
                format!("expected tables such as [{kind}.NAME], found {}", value.type_name());
            errors.push(&value.span, message);
            continue;
        };
        for (name, value) in &tables.0 {
            let Kind::Table(table) = &value.kind else {
                errors.push(&value.span, format!("expected a table, found {}", value.type_name()));
                continue;
            };
            raw.read_table(kind, name, table, folders, kinds, errors);
        }
    }
    raw.check_names(errors);
    raw.check_size(errors);
    raw
}

impl RawPipeline {
    fn read_table(
        &mut self,
        kind: &str,
        name: &Name,
        table: &Table,
        folders: Folders<'_>,
        known: &Kinds,
        errors: &mut Diagnostics,
    ) {
        match kind {
            "data" => {
                let data = data::data(name, table, folders, &known.formats, errors);
                self.data.push((name.clone(), data));
            }
            "recipe" => {
                self.recipes.push((name.clone(), hyper::recipe(name, table, known, errors)))
            }
            "net" => self.nets.push((name.clone(), hyper::net(name, table, known, errors))),
            "table" => self.tables.extend(read_result_table(name, table, errors)),
            "choose" => match choose::read(name, table, errors) {
                Some(choose) => self.choices.push(choose),
                None => drop(self.broken.insert(name.text.clone())),
            },
            "search" => match search::read(name, table, errors) {
                Some(search) => self.searches.push(search),
                None => drop(self.broken.insert(name.text.clone())),
            },
            "figure" => self.figures.extend(figure::read(name, table, errors)),
            _ => {
                let expanded = expand::matrix(name, table, errors);
                // A matrix without `{…}` in its name gives `name/value`: the name itself is taken.
                if expanded.first().is_none_or(|(first, _)| first != name)
                    && !name.text.contains('{')
                {
                    self.node_names.push(name.clone());
                }
                if expanded.is_empty() {
                    self.broken.insert(name.text.clone());
                }
                for (name, table) in expanded {
                    if self.node_names.len() > expand::MOST {
                        break;
                    }
                    self.node_names.push(name.clone());
                    let before = self.learns.len() + self.evals.len();
                    match kind {
                        "train" => self.learns.extend(train(&name, &table, known, errors)),
                        "distill" => self.learns.extend(distill(&name, &table, known, errors)),
                        "chain" => {
                            let chain = expand::chain(&name, &table, known, errors);
                            self.starts.extend(chain.start);
                            self.add(chain.nodes);
                        }
                        "mutual" => {
                            self.add(mutual::read(&name, &table, known, errors));
                        }
                        _ => self.evals.extend(eval(&name, &table, errors)),
                    }
                    if self.learns.len() + self.evals.len() == before {
                        self.broken.insert(name.text);
                    }
                }
            }
        }
    }

    /// Nodes that one table stands for, under names of their own.
    fn add(&mut self, nodes: Vec<RawLearn>) {
        self.node_names.extend(nodes.iter().map(|node| node.name.clone()));
        self.learns.extend(nodes);
    }

    /// A short file can stand for more than any machine holds.
    fn check_size(&mut self, errors: &mut Diagnostics) {
        let start = Span { source: 0, start: 0, end: 0 };
        let rows = self.tables.iter().filter_map(|table| table.rows.as_ref()).map(Vec::len);
        let each = rows.sum::<usize>() + self.tables.len() + self.evals.len() + 1;
        let all = self.learns.len().saturating_mul(each).saturating_mul(self.seeds.len());
        let problem = if self.node_names.len() > expand::MOST {
            format!("the file stands for more than {} nodes", expand::MOST)
        } else if all > MOST_TASKS {
            format!("nodes, evals, rows and seeds make more than {MOST_TASKS} tasks")
        } else {
            return;
        };
        errors.push(&start, problem);
        // What is left is read for its errors.
        (self.evals, self.tables) = (Vec::new(), Vec::new());
    }

    /// Node names must be usable in globs and belong to one node, whatever its kind.
    fn check_names(&self, errors: &mut Diagnostics) {
        for name in &self.node_names {
            if !name.text.split('/').all(names::is_valid) {
                let message = format!("`{}` is not a valid node name", name.text.escape_debug());
                errors.push_help(&name.span, message, "use letters, digits and - _ . + =");
            }
        }
        let mut seen: Vec<&Name> = self.node_names.iter().collect();
        seen.sort_by(|a, b| (&a.text, &a.span).cmp(&(&b.text, &b.span)));
        for pair in seen.windows(2) {
            if pair[0].text == pair[1].text {
                let message = format!("two nodes are named `{}`", pair[1].text);
                let help = format!("names are shared by all of {}", NODE_KINDS.join(", "));
                errors.push_help(&pair[1].span, message, help);
            }
        }
    }
}

fn train(name: &Name, table: &Table, kinds: &Kinds, errors: &mut Diagnostics) -> Option<RawLearn> {
    let mut fields = Fields::new(table, &name.span, format!("train.{}", name.text), errors);
    let [net, data] =
        ["net", "data"].map(|key| fields.require(key).and_then(|value| fields.string(value)));
    let on_collapse = hyper::on_collapse(&mut fields);
    let loss_value = fields.take("objective");
    let loss = match loss_value {
        None => Some(CrossEntropy {}.into()),
        Some(value) => fields.kind(value, &kinds.supervised),
    };
    let weights = fields.take("weights").map(|value| fields.path(value));
    if let (Some(_), Some(_)) = (&weights, on_collapse) {
        let message = "`on_collapse` is of trainings: weights from a file are not trained";
        fields.errors.push(&name.span, message);
    }
    if let (Some(_), Some(value)) = (&weights, loss_value) {
        let help = "weights from a file are not trained";
        let message = "`objective` and `weights` exclude one another";
        fields.errors.push_help(&value.span, message, help);
    }
    let from_value = fields.take("from");
    let from = from_value.and_then(|value| fields.string(value));
    if let (Some(value), None) = (from_value, &weights) {
        let help = "it chooses one of the state_dicts in a file of weights";
        fields.errors.push_help(&value.span, "`from` belongs to `weights`", help);
    }
    let recipe = match &weights {
        None => fields.require("recipe").and_then(|value| fields.string(value)),
        Some(_) => {
            if let Some(value) = fields.take("recipe") {
                let help = "weights from a file are not trained";
                fields.errors.push_help(
                    &value.span,
                    "`recipe` and `weights` exclude one another",
                    help,
                );
            }
            None
        }
    };
    fields.finish();
    let (name, data, weights) = (name.clone(), Some(data?), weights.flatten());
    if recipe.is_none() && weights.is_none() {
        return None;
    }
    Some(RawLearn {
        name,
        moment: None,
        net: net?,
        data,
        recipe,
        weights,
        from,
        loss: loss?,
        teacher: None,
        peers: None,
        on_collapse,
        objective: loss_value.cloned(),
        seeds: None,
        role: Role::Plain,
    })
}

fn distill(
    name: &Name,
    table: &Table,
    kinds: &Kinds,
    errors: &mut Diagnostics,
) -> Option<RawLearn> {
    let mut fields = Fields::new(table, &name.span, format!("distill.{}", name.text), errors);
    let net = fields.require("net").and_then(|value| fields.string(value));
    let teachers = teachers::named(name, &mut fields);
    let [data, recipe] =
        ["data", "recipe"].map(|key| fields.take(key).and_then(|value| fields.string(value)));
    let objective_value = fields.require("objective");
    let objective = objective_value
        .and_then(|value| fields.distillation(value, &kinds.distillation).zip(Some(value)));
    let keep = keep::keep(&mut fields);
    let teacher = teachers::taught(teachers, objective, keep, &mut fields);
    let on_collapse = hyper::on_collapse(&mut fields);
    fields.finish();
    let (name, teacher) = (name.clone(), Some(teacher?));
    Some(RawLearn {
        name,
        moment: None,
        net: net?,
        data,
        recipe,
        weights: None,
        from: None,
        loss: CrossEntropy {}.into(),
        teacher,
        peers: None,
        on_collapse,
        objective: objective_value.cloned(),
        seeds: None,
        role: Role::Plain,
    })
}

fn eval(name: &Name, table: &Table, errors: &mut Diagnostics) -> Option<RawEval> {
    let mut fields = Fields::new(table, &name.span, format!("eval.{}", name.text), errors);
    let of_value = fields.require("of");
    let of = of_value.map(|value| fields.strings(value)).unwrap_or_default();
    let split_value = fields.take("split");
    let split = match split_value {
        None => Some(Split::Test),
        Some(value) => fields.word(value, &Split::WORDS),
    };
    let temperature = fields
        .take("temperature")
        .and_then(|value| fields.number(value, "a temperature above 0", |t| t > 0.0));
    let [agreement, softness, int8] = ["agreement", "softness", "int8"]
        .map(|key| fields.take(key).and_then(|value| fields.flag(value)).unwrap_or_default());
    let against = fields.take("against").and_then(|value| fields.string(value));
    if let Some(against) = against.as_ref().filter(|_| !softness) {
        let help = "add `softness = true`";
        fields.errors.push_help(&against.span, "`against` belongs to an eval of softness", help);
    }
    fields.finish();
    let split_span = split_value.map_or(&name.span, |value| &value.span).clone();
    of_value?;
    let (name, split, scores) = (name.clone(), split?, false);
    Some(RawEval {
        name,
        of,
        split,
        split_span,
        temperature,
        agreement,
        softness,
        against,
        int8,
        scores,
    })
}

fn read_result_table(name: &Name, table: &Table, errors: &mut Diagnostics) -> Option<RawTable> {
    let mut fields = Fields::new(table, &name.span, format!("table.{}", name.text), errors);
    let [title, note] = ["title", "note"].map(|key| fields.text(key));
    let eval = fields.take("eval").and_then(|value| fields.string(value));
    let columns = fields.take("columns").map(|value| columns::read(value, &mut fields));
    let columns = columns.unwrap_or_else(|| RawColumn::usual(name));
    let words = [("holm", Adjust::Holm), ("bh", Adjust::Bh), ("none", Adjust::None)];
    let adjust = fields.take("adjust").and_then(|value| fields.word(value, &words));
    let adjust = adjust.unwrap_or_default();
    let rows = fields.take("rows").map(|value| {
        let items = fields.array(value, "rows");
        items.iter().filter_map(|item| row(item, &mut fields)).collect()
    });
    fields.finish();
    Some(RawTable { name: name.clone(), title, note, eval, columns, adjust, rows })
}

/// `"node"`, or `{ node = "node", label = "NoKD", paper = 70.16 }`.
fn row(value: &Value, fields: &mut Fields<'_, '_>) -> Option<RawRow> {
    let span = value.span.clone();
    let Kind::Table(table) = &value.kind else {
        let node = Some(fields.string(value)?);
        return Some(RawRow { span, label: None, node, paper: None });
    };
    let mut inner = Fields::new(table, &value.span, "row", fields.errors);
    let node = inner.take("node").map(|value| inner.string(value));
    let label = inner.take("label").map(|value| inner.string(value));
    let percent = "an accuracy in percent";
    let paper = inner.take("paper");
    let paper = paper.map(|v| inner.number(v, percent, |p| (0.0..=100.0).contains(&p)));
    if node.is_none() && (label.is_none() || paper.is_none()) {
        let help = "or `label` and `paper`, for a row that only quotes";
        inner.errors.push_help(&value.span, "`row` needs `node`", help);
    }
    inner.finish();
    let (label, node, paper) =
        (label.flatten().map(|label| label.text), node.flatten(), paper.flatten());
    Some(RawRow { span, label, node, paper })
}
