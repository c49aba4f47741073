//! Reading what a student learns from: one objective, or a list that adds.

use super::{
    fields::Fields,
    kind::MOST_EPOCHS,
    value::{Kind as Type, Table, Value},
};
use crate::{
    kind::{Choice, Kind},
    objective::{Distillation, Term, Weight, sum},
};

const ONE: Weight = Weight::Fixed(1.0);
const WANT: &str = "a weight of 0 or more";

impl Fields<'_, '_> {
    /// `{ kd = { … } }`, or `[{ kd = { … } }, { dist = { … }, weight = 0.5 }]`.
    pub fn distillation(
        &mut self,
        value: &Value,
        kinds: &[&'static Kind<dyn Distillation>],
    ) -> Option<Choice<dyn Distillation>> {
        let Type::Array(items) = &value.kind else { return self.kind(value, kinds) };
        let terms: Vec<Option<Term>> = items.iter().map(|item| self.term(item, kinds)).collect();
        if items.is_empty() {
            self.errors.push(&value.span, "expected at least one objective");
            return None;
        }
        let terms = terms.into_iter().collect::<Option<Vec<_>>>()?;
        if terms.iter().all(|term| term.weight.is_nothing()) {
            let help = "give one of them a weight above 0";
            self.errors.push_help(&value.span, "weights that are all 0 teach nothing", help);
            return None;
        }
        Some(sum(terms))
    }

    fn term(&mut self, item: &Value, kinds: &[&'static Kind<dyn Distillation>]) -> Option<Term> {
        let Type::Table(table) = &item.kind else {
            return self.kind(item, kinds).map(|objective| Term { weight: ONE, objective });
        };
        let weight = match table.get("weight") {
            None => Some(ONE),
            Some(weight) => self.weight(weight),
        };
        let others = table.0.iter().filter(|(name, _)| name.text != "weight").cloned();
        let kind = Type::Table(Table(others.collect()));
        let objective = self.kind(&Value { span: item.span.clone(), kind }, kinds);
        Some(Term { weight: weight?, objective: objective? })
    }

    /// `0.5`, or `{ from = 4.0, to = 1.0, epochs = [5, 400] }`.
    fn weight(&mut self, value: &Value) -> Option<Weight> {
        let Type::Table(table) = &value.kind else {
            return self.number(value, WANT, |weight| weight >= 0.0).map(Weight::Fixed);
        };
        let mut fields = Fields::new(table, &value.span, "weight", self.errors);
        let [from, to] = ["from", "to"].map(|key| {
            let value = fields.require(key)?;
            fields.number(value, WANT, |weight| weight >= 0.0)
        });
        let given = fields.require("epochs");
        let epochs = given.map(|value| {
            let items = fields.array(value, "two epochs");
            let epochs = items.iter().filter_map(|item| fields.whole(item, 1, MOST_EPOCHS));
            epochs.map(|epoch| epoch as usize).collect::<Vec<_>>()
        });
        let epochs = match (epochs.as_deref(), given) {
            (Some(&[first, last]), _) if first < last => Some([first, last]),
            (Some(_), Some(value)) => {
                fields.errors.push(&value.span, "expected two epochs, the second after the first");
                None
            }
            _ => None,
        };
        fields.finish();
        Some(Weight::Ramp { from: from?, to: to?, epochs: epochs? })
    }
}
