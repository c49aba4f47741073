//! Reading what a student learns from: one objective, or a list that adds.

use super::{
    fields::Fields,
    value::{Kind as Type, Table, Value},
};
use crate::{
    kind::{Choice, Kind},
    objective::{Distillation, Term, sum},
};

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
        if terms.iter().all(|term| term.weight == 0.0) {
            let help = "give one of them a weight above 0";
            self.errors.push_help(&value.span, "weights that are all 0 teach nothing", help);
            return None;
        }
        Some(sum(terms))
    }

    fn term(&mut self, item: &Value, kinds: &[&'static Kind<dyn Distillation>]) -> Option<Term> {
        let Type::Table(table) = &item.kind else {
            return self.kind(item, kinds).map(|objective| Term { weight: 1.0, objective });
        };
        let weight = match table.get("weight") {
            None => Some(1.0),
            Some(weight) => self.number(weight, "a weight of 0 or more", |weight| weight >= 0.0),
        };
        let others = table.0.iter().filter(|(name, _)| name.text != "weight").cloned();
        let kind = Type::Table(Table(others.collect()));
        let objective = self.kind(&Value { span: item.span.clone(), kind }, kinds);
        Some(Term { weight: weight?, objective: objective? })
    }
}
