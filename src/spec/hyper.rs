//! Reading hyper-parameters: optimizers, schedules, recipes, objectives, data sets.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    value::{Name, Table, Value},
};
use crate::config::{
    Adam, Augment, BlockKind, Cifar, CifarKind, Format, Kd, Layer, Normalisation, Optimizer,
    Recipe, Reduction, Schedule, Select, Warmup,
};
use std::path::Path;

/// A recipe; `select` stays open until the data says whether there is a validation split.
pub(super) struct RawRecipe {
    pub recipe: Recipe,
    pub select: Option<Name>,
}

/// A data set whose files have not been looked at.
pub(super) struct RawData {
    pub span: Span,
    pub format: Format,
    pub validation: usize,
    pub validation_span: Span,
    pub normalisation: Normalisation,
    pub normalisation_span: Span,
}

/// A network as its table describes it.
#[derive(Clone)]
pub(super) enum RawNet {
    /// Layers and where they are listed.
    Layers(Vec<Layer>, Span),
    /// A built-in network, perhaps with other shortcuts where the shape changes.
    Like { name: Name, shortcut: Option<BlockKind> },
}

const RATE: &str = "a learning rate above 0";
const PENALTY: &str = "a weight decay of 0 or more";

pub(super) fn recipe(name: &Name, table: &Table, errors: &mut Diagnostics) -> Option<RawRecipe> {
    let mut fields = Fields::new(table, &name.span, format!("recipe.{}", name.text), errors);
    let epochs = fields.require("epochs");
    let epochs = epochs.and_then(|value| fields.whole(value, 1, 1_000_000));
    let batch_size = fields.require("batch_size");
    let batch_size = batch_size.and_then(|value| fields.whole(value, 1, 1_000_000));
    let optimizer = fields.require("optimizer").and_then(|value| optimizer(value, &mut fields));
    let schedule = match fields.take("schedule") {
        None => Some(Schedule::Constant {}),
        Some(value) => schedule(value, &mut fields),
    };
    let warmup = Warmup(fields.whole_or("warmup", 0, 0));
    let augment = fields.take("augment").map(|value| augment(value, &mut fields));
    let words = [
        ("best-validation", Select::BestValidation),
        ("last", Select::Last),
        ("best-test", Select::BestTest),
    ];
    let select_value = fields.take("select");
    let select = select_value.and_then(|value| fields.word(value, &words));
    let select_name = select_value.and_then(|value| fields.string(value));
    fields.finish();
    let recipe = Recipe {
        epochs: epochs? as usize,
        batch_size: batch_size? as usize,
        optimizer: optimizer?,
        schedule: schedule?,
        warmup,
        augment: augment.unwrap_or_default(),
        select: select.unwrap_or(Select::Last),
    };
    Some(RawRecipe { recipe, select: select_name })
}

fn optimizer(value: &Value, fields: &mut Fields<'_, '_>) -> Option<Optimizer> {
    let (choice, table, span) = fields.choice(value, &["sgd", "adam", "adamw"])?;
    let mut fields = Fields::new(table, span, choice, fields.errors);
    let lr = fields.require("lr");
    let lr = lr.and_then(|value| fields.number(value, RATE, |lr| lr > 0.0));
    let unit = "a number in [0, 1)";
    let optimizer = if choice == "sgd" {
        let momentum = fields.number_or("momentum", 0.0, unit, |m| (0.0..1.0).contains(&m));
        let nesterov = fields.boolean("nesterov", false);
        let weight_decay = fields.number_or("weight_decay", 0.0, PENALTY, |w| w >= 0.0);
        if nesterov && momentum == 0.0 {
            fields.errors.push(span, "nesterov needs a momentum above 0");
        }
        Optimizer::Sgd { lr: lr.unwrap_or(1.0), momentum, nesterov, weight_decay }
    } else {
        // PyTorch's defaults: Adam has no weight decay, AdamW has 0.01.
        let penalty = if choice == "adam" { 0.0 } else { 0.01 };
        let betas = match fields.take("betas") {
            None => Some([0.9, 0.999]),
            Some(value) => {
                let items = fields.array(value, "two numbers");
                let read: Vec<f64> = items
                    .iter()
                    .filter_map(|item| fields.number(item, unit, |b| (0.0..1.0).contains(&b)))
                    .collect();
                if items.len() != 2 {
                    fields.errors.push(&value.span, "expected two numbers");
                }
                <[f64; 2]>::try_from(read).ok()
            }
        };
        let epsilon = fields.number_or("epsilon", 1e-8, "a number above 0", |e| e > 0.0);
        let weight_decay = fields.number_or("weight_decay", penalty, PENALTY, |w| w >= 0.0);
        let adam =
            Adam { lr: lr.unwrap_or(1.0), betas: betas.unwrap_or_default(), epsilon, weight_decay };
        if choice == "adam" { Optimizer::Adam(adam) } else { Optimizer::AdamW(adam) }
    };
    fields.finish();
    lr.map(|_| optimizer)
}

fn augment(value: &Value, fields: &mut Fields<'_, '_>) -> Vec<Augment> {
    let words = [("crop", Augment::Crop), ("flip", Augment::Flip)];
    let items = fields.array(value, "\"crop\" and \"flip\"");
    items.iter().filter_map(|item| fields.word(item, &words)).collect()
}

fn schedule(value: &Value, fields: &mut Fields<'_, '_>) -> Option<Schedule> {
    let (choice, table, span) = fields.choice(value, &["constant", "step", "cosine"])?;
    let mut fields = Fields::new(table, span, choice, fields.errors);
    let schedule = match choice {
        "step" => {
            let milestones = fields.require("milestones").map(|value| {
                let items = fields.array(value, "epochs");
                items.iter().filter_map(|item| fields.whole(item, 1, 1_000_000)).collect::<Vec<_>>()
            });
            let gamma = fields.number_or("gamma", 0.1, "a factor above 0", |g| g > 0.0);
            let mut milestones: Vec<usize> =
                milestones.unwrap_or_default().into_iter().map(|epoch| epoch as usize).collect();
            milestones.sort_unstable();
            Schedule::Step { milestones, gamma }
        }
        "cosine" => Schedule::Cosine {
            min: fields.number_or("min", 0.0, "a rate of 0 or more", |m| m >= 0.0),
        },
        _ => Schedule::Constant {},
    };
    fields.finish();
    Some(schedule)
}

/// `{ kd = { temperature = 5.0, lambda = 0.5 } }`.
pub(super) fn objective(value: &Value, fields: &mut Fields<'_, '_>) -> Option<Kd> {
    let (choice, table, span) = fields.choice(value, &["kd"])?;
    let mut fields = Fields::new(table, span, choice, fields.errors);
    let temperature = fields.require("temperature");
    let temperature =
        temperature.and_then(|v| fields.number(v, "a temperature above 0", |t| t > 0.0));
    let lambda = fields.require("lambda");
    let lambda =
        lambda.and_then(|v| fields.number(v, "a weight in [0, 1]", |l| (0.0..=1.0).contains(&l)));
    let words = [("batchmean", Reduction::Batchmean), ("mean", Reduction::Mean)];
    let reduction = match fields.take("reduction") {
        None => Some(Reduction::Batchmean),
        Some(value) => fields.word(value, &words),
    };
    fields.finish();
    Some(Kd { temperature: temperature?, lambda: lambda?, reduction: reduction? })
}

/// A data set's `format` in the file.
#[derive(Clone, Copy, PartialEq)]
enum FormatWord {
    FashionMini,
    Idx,
    Cifar(CifarKind),
}

/// Where the paths in a pipeline start.
#[derive(Clone, Copy)]
pub(super) struct Folders<'a> {
    /// The pipeline file's: what relative paths are relative to.
    pub pipeline: &'a Path,
    /// Where fetched data sets lie.
    pub data: &'a Path,
}

/// A data set.
pub(super) fn data(
    name: &Name,
    table: &Table,
    folders: Folders<'_>,
    errors: &mut Diagnostics,
) -> Option<RawData> {
    let mut fields = Fields::new(table, &name.span, format!("data.{}", name.text), errors);
    let words = [
        ("fashion-mini", FormatWord::FashionMini),
        ("idx", FormatWord::Idx),
        ("cifar10", FormatWord::Cifar(CifarKind::Ten)),
        ("cifar100", FormatWord::Cifar(CifarKind::Hundred)),
    ];
    let format = fields.require("format").and_then(|v| fields.word(v, &words));
    let [train, test] = ["train", "test"].map(|key| {
        let value = fields.take(key)?;
        let names = fields.strings(value).into_iter().map(|name| name.text).collect();
        if !matches!(format, None | Some(FormatWord::Cifar(_))) {
            fields.errors.push(&value.span, format!("only cifar10 and cifar100 take `{key}`"));
        }
        Some(names)
    });
    let path = fields.take("path").and_then(|value| fields.string(value));
    let validation_value = fields.take("validation");
    let validation = validation_value.and_then(|value| fields.whole(value, 0, u32::MAX.into()));
    let mean = channels("mean", "numbers", |_| true, &mut fields);
    let std = channels("std", "numbers above 0", |s| s > 0.0, &mut fields);
    let normalisation = match (mean, std) {
        (None, None) => Normalisation::Measured,
        (Some(mean), Some(std)) if mean.len() == std.len() => Normalisation::Given { mean, std },
        (Some(_), Some(_)) => {
            fields.errors.push(&name.span, "`mean` and `std` need the same number of values");
            Normalisation::Measured
        }
        _ => {
            fields.errors.push(&name.span, "`mean` and `std` come together");
            Normalisation::Measured
        }
    };
    fields.finish();
    let path = path.map(|path| (folders.pipeline.join(path.text), path.span));
    let format = match (format?, path) {
        (FormatWord::FashionMini, None) => Format::FashionMini,
        (FormatWord::FashionMini, Some((_, span))) => {
            errors.push(&span, "fashion-mini is inside takd: it takes no path");
            return None;
        }
        (FormatWord::Idx, Some((path, _))) => Format::Idx(path),
        (FormatWord::Idx, None) => {
            let message = format!("`data.{}` needs `path`", name.text);
            errors.push_help(&name.span, message, "the folder that holds the four IDX files");
            return None;
        }
        (FormatWord::Cifar(kind), path) => {
            let path = path.map_or_else(|| folders.data.to_owned(), |(path, _)| path);
            let whole = Cifar::whole(kind, path);
            let (train, test) = (train.unwrap_or(whole.train), test.unwrap_or(whole.test));
            Format::Cifar(Cifar { kind, path: whole.path, train, test })
        }
    };
    Some(RawData {
        span: name.span.clone(),
        format,
        validation: validation.unwrap_or(0) as usize,
        validation_span: validation_value.map_or(&name.span, |value| &value.span).clone(),
        normalisation,
        normalisation_span: table.get("mean").map_or(&name.span, |value| &value.span).clone(),
    })
}

fn channels(
    key: &'static str,
    want: &str,
    ok: impl Fn(f64) -> bool + Copy,
    fields: &mut Fields<'_, '_>,
) -> Option<Vec<f64>> {
    let value = fields.take(key)?;
    let items = fields.array(value, want);
    Some(items.iter().filter_map(|item| fields.number(item, want, ok)).collect())
}

/// `layers = ["conv16", "maxpool", "fc10"]`, or `like = "resnet20"` with another `shortcut`.
pub(super) fn net(name: &Name, table: &Table, errors: &mut Diagnostics) -> Option<RawNet> {
    let mut fields = Fields::new(table, &name.span, format!("net.{}", name.text), errors);
    let layers = fields.take("layers").map(|value| (value, fields.strings(value)));
    let like = fields.take("like").map(|value| fields.string(value));
    let kinds = [("project", BlockKind::Basic), ("pad", BlockKind::PadBasic)];
    let shortcut = fields.take("shortcut").map(|value| fields.word(value, &kinds));
    match (&layers, &like, shortcut) {
        (None, None, _) => {
            let message = format!("`net.{}` needs `layers` or `like`", name.text);
            fields.errors.push(&name.span, message);
        }
        (Some(_), Some(_), _) => {
            fields.errors.push(&name.span, "`layers` and `like` exclude one another");
        }
        (Some(_), None, Some(_)) => {
            let help = "basic16 and padbasic16 are the two kinds of block";
            fields.errors.push_help(&name.span, "`shortcut` belongs to `like`", help);
        }
        _ => {}
    }
    fields.finish();
    if let Some(like) = like {
        return Some(RawNet::Like { name: like?, shortcut: shortcut.flatten() });
    }
    let (value, names) = layers?;
    let mut layers = Vec::with_capacity(names.len());
    for layer in &names {
        match layer.text.parse() {
            Ok(layer) => layers.push(layer),
            Err(error) => errors.push(&layer.span, format!("{error}")),
        }
    }
    (layers.len() == names.len()).then(|| RawNet::Layers(layers, value.span.clone()))
}
