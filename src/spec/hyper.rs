//! Reading hyper-parameters: optimizers, schedules, recipes, objectives, networks.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    value::{Kind, Name, Table, Value},
};
use crate::config::{
    Adam, Augment, BatchnormWeight, BlockKind, Kd, Layer, OnCollapse, Optimizer, Recipe, Reduction,
    Schedule, Select, Warmup,
    defaults::{adam, adamw, cosine, kd, sgd, step},
    recipe_defaults::recipe as defaults,
};

/// A recipe; `select` stays open until the data says whether there is a validation split.
pub(super) struct RawRecipe {
    pub recipe: Recipe,
    pub select: Option<Name>,
    /// Where its batch size is said.
    pub batch_size: Span,
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
    let batch_value = fields.require("batch_size");
    let batch_size = batch_value.and_then(|value| fields.whole(value, 1, 1_000_000));
    let optimizer = fields.require("optimizer").and_then(|value| optimizer(value, &mut fields));
    let schedule = match fields.take("schedule") {
        None => Some(defaults::schedule::value()),
        Some(value) => schedule(value, &mut fields),
    };
    let warmup_value = fields.take("warmup");
    let warmup = warmup_value.and_then(|value| fields.whole(value, 0, 1_000_000));
    if let (Some(value), Some(warmup), Some(epochs)) = (warmup_value, warmup, epochs)
        && warmup > epochs
    {
        let message =
            format!("a warm-up of {warmup} epochs is longer than the training of {epochs}");
        let help = "the schedule begins where it ends: lower `warmup`, or raise `epochs`";
        fields.errors.push_help(&value.span, message, help);
    }
    let warmup = warmup.map_or_else(defaults::warmup::value, |epochs| Warmup(epochs as usize));
    let augment = fields.take("augment").map(|value| augment(value, &mut fields));
    let words = [
        ("best-validation", Select::BestValidation),
        ("last", Select::Last),
        ("best-test", Select::BestTest),
    ];
    let select_value = fields.take("select");
    let select = select_value.and_then(|value| fields.word(value, &words));
    let select_name = select_value.and_then(|value| fields.string(value));
    let words = [("ones", BatchnormWeight::Ones), ("uniform", BatchnormWeight::Uniform)];
    let batchnorm = fields.take("batchnorm_weight").and_then(|value| fields.word(value, &words));
    fields.finish();
    let recipe = Recipe {
        epochs: epochs? as usize,
        batch_size: batch_size? as usize,
        optimizer: optimizer?,
        schedule: schedule?,
        warmup,
        augment: augment.unwrap_or_else(defaults::augment::value),
        select: select.unwrap_or(Select::Last),
        batchnorm_weight: batchnorm.unwrap_or_else(defaults::batchnorm_weight::value),
    };
    Some(RawRecipe { recipe, select: select_name, batch_size: batch_value?.span.clone() })
}

fn optimizer(value: &Value, fields: &mut Fields<'_, '_>) -> Option<Optimizer> {
    let (choice, table, span) = fields.choice(value, &["sgd", "adam", "adamw"])?;
    let mut fields = Fields::new(table, span, choice, fields.errors);
    let lr = fields.require("lr");
    let lr = lr.and_then(|value| fields.number(value, RATE, |lr| lr > 0.0));
    let unit = "a number in [0, 1)";
    let optimizer = if choice == "sgd" {
        let (momentum, penalty) = (sgd::momentum::value(), sgd::weight_decay::value());
        let momentum = fields.number_or("momentum", momentum, unit, |m| (0.0..1.0).contains(&m));
        let nesterov = fields.boolean("nesterov", sgd::nesterov::value());
        let weight_decay = fields.number_or("weight_decay", penalty, PENALTY, |w| w >= 0.0);
        if nesterov && momentum == 0.0 {
            fields.errors.push(span, "nesterov needs a momentum above 0");
        }
        Optimizer::Sgd { lr: lr.unwrap_or(1.0), momentum, nesterov, weight_decay }
    } else {
        let (betas, epsilon, penalty) = if choice == "adam" {
            (adam::betas::value(), adam::epsilon::value(), adam::weight_decay::value())
        } else {
            (adamw::betas::value(), adamw::epsilon::value(), adamw::weight_decay::value())
        };
        let betas = match fields.take("betas") {
            None => Some(betas),
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
        let epsilon = fields.number_or("epsilon", epsilon, "a number above 0", |e| e > 0.0);
        let weight_decay = fields.number_or("weight_decay", penalty, PENALTY, |w| w >= 0.0);
        let adam =
            Adam { lr: lr.unwrap_or(1.0), betas: betas.unwrap_or_default(), epsilon, weight_decay };
        if choice == "adam" { Optimizer::Adam(adam) } else { Optimizer::AdamW(adam) }
    };
    fields.finish();
    lr.map(|_| optimizer)
}

fn augment(value: &Value, fields: &mut Fields<'_, '_>) -> Vec<Augment> {
    let words =
        [("crop", Augment::Crop), ("flip", Augment::Flip), ("resized-crop", Augment::ResizedCrop)];
    let items = fields.array(value, "\"resized-crop\", \"crop\" and \"flip\"");
    for (place, item) in items.iter().enumerate() {
        let word = fields.word(item, &words);
        if place > 0 && word == Some(Augment::ResizedCrop) {
            let help = "it is cut out of the image as it is in its file";
            fields.errors.push_help(&item.span, "`resized-crop` comes first", help);
        }
    }
    let known = |item: &Value| match &item.kind {
        Kind::String(text) => {
            words.iter().find(|(word, _)| word == text).map(|(_, change)| *change)
        }
        _ => None,
    };
    items.iter().filter_map(known).collect()
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
            let gamma = step::gamma::value();
            let gamma = fields.number_or("gamma", gamma, "a factor above 0", |g| g > 0.0);
            let mut milestones: Vec<usize> =
                milestones.unwrap_or_default().into_iter().map(|epoch| epoch as usize).collect();
            milestones.sort_unstable();
            let restart = fields.boolean("restart", step::restart::value());
            Schedule::Step { milestones, gamma, restart }
        }
        "cosine" => Schedule::Cosine {
            min: fields.number_or("min", cosine::min::value(), "a rate of 0 or more", |m| m >= 0.0),
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
        None => Some(kd::reduction::value()),
        Some(value) => fields.word(value, &words),
    };
    fields.finish();
    Some(Kd { temperature: temperature?, lambda: lambda?, reduction: reduction? })
}

/// Whether a training that learns nothing any more goes on; nothing where it is not said.
pub(super) fn on_collapse(fields: &mut Fields<'_, '_>) -> Option<OnCollapse> {
    let words = [("warn", OnCollapse::Warn), ("stop", OnCollapse::Stop)];
    fields.take("on_collapse").and_then(|value| fields.word(value, &words))
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
