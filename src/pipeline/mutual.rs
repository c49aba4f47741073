//! Networks that learn from one another: `[mutual.NAME]`, a node for each of its nets.

use super::{
    diagnostic::Diagnostics,
    fields::Fields,
    hyper,
    tables::{RawLearn, RawPeers, Role},
    value::{Name, Table},
};
use crate::{
    kinds::Kinds,
    objective::{CrossEntropy, Dml},
};

/// Most networks that learn together.
const MOST: usize = 16;

/// The nodes of a `[mutual.NAME]`. Each is called by its net, and by its number where one comes before
/// it: `pair/plain2`, `pair/plain2-2`.
pub(super) fn read(
    name: &Name,
    table: &Table,
    kinds: &Kinds,
    errors: &mut Diagnostics,
) -> Vec<RawLearn> {
    let mut fields = Fields::new(table, &name.span, format!("mutual.{}", name.text), errors);
    let nets_value = fields.require("nets");
    let nets = nets_value.map(|value| fields.strings(value)).unwrap_or_default();
    let [data, recipe] =
        ["data", "recipe"].map(|key| fields.require(key).and_then(|value| fields.string(value)));
    let objective_value = fields.take("objective");
    let objective = match objective_value {
        None => Some(Dml::default().into()),
        Some(value) => fields.distillation(value, &kinds.distillation),
    };
    let objective_span = objective_value.map_or(name.span.clone(), |value| value.span.clone());
    let on_collapse = hyper::on_collapse(&mut fields);
    if let Some(value) = nets_value.filter(|_| !(2..=MOST).contains(&nets.len())) {
        let message = format!("expected 2 to {MOST} nets, which learn from one another");
        fields.errors.push(&value.span, message);
        fields.finish();
        return Vec::new();
    }
    fields.finish();
    let (Some(data), Some(recipe), Some(objective)) = (data, recipe, objective) else {
        return Vec::new();
    };
    let text = |place: usize| {
        let net = &nets[place].text;
        let before = nets[..place].iter().filter(|other| other.text == *net).count();
        let number = if before == 0 { String::new() } else { format!("-{}", before + 1) };
        format!("{}/{net}{number}", name.text)
    };
    let names: Vec<String> = (0..nets.len()).map(text).collect();
    let node = |place: usize| RawLearn {
        name: Name { text: names[place].clone(), span: name.span.clone() },
        moment: None,
        net: nets[place].clone(),
        data: Some(data.clone()),
        recipe: Some(recipe.clone()),
        weights: None,
        from: None,
        loss: CrossEntropy {}.into(),
        teacher: None,
        peers: Some(RawPeers {
            nets: nets.clone(),
            names: names.clone(),
            place,
            objective: objective.clone(),
            objective_span: objective_span.clone(),
        }),
        on_collapse,
        objective: None,
        seeds: None,
        role: Role::Plain,
    };
    (0..nets.len()).map(node).collect()
}
