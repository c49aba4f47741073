//! Reading hyper-parameters: optimizers, schedules, recipes, objectives, networks.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    value::{Name, Table, Value},
};
use crate::{
    architecture::WrittenLayer,
    augment::Augment,
    kernels::Precision,
    kind::Choice,
    kinds::Kinds,
    recipe::{BatchnormWeight, OnCollapse, Recipe, Select},
    schedule::Constant,
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
    Layers(Vec<WrittenLayer>, Span),
    /// A built-in network, perhaps with other shortcuts where the shape changes.
    Like { name: Name, shortcut: Option<&'static str> },
}

pub(super) fn recipe(
    name: &Name,
    table: &Table,
    kinds: &Kinds,
    errors: &mut Diagnostics,
) -> Option<RawRecipe> {
    let mut fields = Fields::new(table, &name.span, format!("recipe.{}", name.text), errors);
    let epochs = fields.require("epochs");
    let epochs = epochs.and_then(|value| fields.whole(value, 1, 1_000_000));
    let batch_value = fields.require("batch_size");
    let batch_size = batch_value.and_then(|value| fields.whole(value, 1, 1_000_000));
    let optimizer =
        fields.require("optimizer").and_then(|value| fields.kind(value, &kinds.optimizers));
    let schedule = match fields.take("schedule") {
        None => Some(Constant {}.into()),
        Some(value) => fields.kind(value, &kinds.schedules),
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
    let warmup = warmup.map_or(0, |epochs| epochs as usize);
    let augment = fields.take("augment").map(|value| augment(value, kinds, &mut fields));
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
    let words = [("f32", Precision::F32), ("tf32", Precision::Tf32), ("bf16", Precision::Bf16)];
    let precision = fields.take("precision").and_then(|value| fields.word(value, &words));
    fields.finish();
    let recipe = Recipe {
        epochs: epochs? as usize,
        batch_size: batch_size? as usize,
        optimizer: optimizer?,
        schedule: schedule?,
        warmup,
        augment: augment.unwrap_or_default(),
        select: select.unwrap_or(Select::Last),
        batchnorm_weight: batchnorm.unwrap_or(BatchnormWeight::Ones),
        precision: precision.unwrap_or_default(),
    };
    Some(RawRecipe { recipe, select: select_name, batch_size: batch_value?.span.clone() })
}

/// Changes of training images. One that is cut out of the picture in its file comes first.
fn augment(value: &Value, kinds: &Kinds, fields: &mut Fields<'_, '_>) -> Vec<Choice<dyn Augment>> {
    let read = fields.kinds(value, &kinds.augments);
    for (change, span) in read.iter().skip(1) {
        if change.cuts() {
            let help = "it is cut out of the image as it is in its file";
            let message = format!("`{}` comes first", change.chosen().kind);
            fields.errors.push_help(span, message, help);
        }
    }
    read.into_iter().map(|(change, _)| change).collect()
}

/// Whether a training that no longer learns continues; nothing where it is not said.
pub(super) fn on_collapse(fields: &mut Fields<'_, '_>) -> Option<OnCollapse> {
    let words = [("warn", OnCollapse::Warn), ("stop", OnCollapse::Stop)];
    fields.take("on_collapse").and_then(|value| fields.word(value, &words))
}

/// `layers = ["conv16", "maxpool", "fc10"]`, or `like = "resnet20"` with another `shortcut`.
pub(super) fn net(
    name: &Name,
    table: &Table,
    known: &Kinds,
    errors: &mut Diagnostics,
) -> Option<RawNet> {
    let mut fields = Fields::new(table, &name.span, format!("net.{}", name.text), errors);
    let layers = fields.take("layers").map(|value| (value, fields.strings(value)));
    let like = fields.take("like").map(|value| fields.string(value));
    let kinds = [("project", "basic"), ("pad", "padbasic")];
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
        match WrittenLayer::read(&layer.text, &known.layers) {
            Ok(layer) => layers.push(layer),
            Err(error) => errors.push(&layer.span, format!("{error}")),
        }
    }
    (layers.len() == names.len()).then(|| RawNet::Layers(layers, value.span.clone()))
}
