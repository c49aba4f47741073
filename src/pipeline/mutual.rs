//! Networks that learn from one another: `[mutual.NAME]`, a node for each of its nets.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    hyper,
    resolve::Resolver,
    resolved::{How, Mutual},
    tables::{RawLearn, RawPeers},
    value::{Name, Table},
};
use crate::{
    dataset::Data,
    kinds::Kinds,
    objective::{CrossEntropy, Dml},
    recipe::Recipe,
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
    };
    (0..nets.len()).map(node).collect()
}

impl Resolver<'_> {
    /// How a network is trained that has no teacher.
    pub fn trained(&mut self, raw: &RawLearn, recipe: Recipe, data: &Data) -> Option<How> {
        let Some(peers) = &raw.peers else { return Some(How::Train(recipe, raw.loss.clone())) };
        let RawPeers { nets, names, place, objective, objective_span } = peers;
        let nets: Vec<_> =
            nets.iter().map(|net| self.net(net, Some(data))).collect::<Option<_>>()?;
        let (own, of_own) = (*place, nets[*place].taps());
        let compares_logits = objective.needs(&of_own, &of_own).is_ok_and(|needs| {
            needs.pairs.is_empty() && needs.all_parameters().is_empty() && !needs.asks()
        });
        // It is told once.
        if !compares_logits && own == 0 {
            self.refuse(objective_span);
        }
        let (names, objective) = (names.clone(), objective.clone());
        Some(How::Mutual(recipe, Mutual { nets, names, place: own, objective }))
    }

    fn refuse(&mut self, span: &Span) {
        let message = "networks that learn from one another compare logits alone";
        let help = "take an objective on logits, such as `{ dml = {} }`";
        self.errors.push_help(span, message, help);
    }
}
