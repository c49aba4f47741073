//! Objectives that add.

use super::{
    asks::{Networks, Seen},
    interface::{Batch, Distillation},
    needs::{Given, Needs},
    weight::Weight,
};
use crate::{
    kind::{Choice, Chosen},
    tap::Tapped,
};
use burn::tensor::Tensor;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a sum is called where a single objective has its kind.
pub const SUM: &str = "sum";

/// A term of a sum.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it is multiplied by.
    pub weight: Weight,
    /// The objective, its own cross entropy included.
    pub objective: Choice<dyn Distillation>,
}

/// Σ weight · objective, in the order of the terms.
#[derive(Debug)]
struct Sum(Vec<Term>);

/// The sum of `terms`, which is the objective itself where there is one of weight 1. It is stored as
/// `{"sum":{"0":{"kd":{…}},"1":{"dist":{…},"weight":0.5}}}`: a weight of 1 is left out.
pub fn sum(terms: Vec<Term>) -> Choice<dyn Distillation> {
    if let [Term { weight: Weight::Fixed(1.0), objective }] = terms.as_slice() {
        return objective.clone();
    }
    let stored = terms.iter().enumerate().map(|(index, Term { weight, objective })| {
        let mut term: Map<String, Value> =
            match serde_json::to_value(objective.chosen()).expect("plain data is always JSON") {
                Value::Object(term) => term,
                _ => Map::new(),
            };
        if *weight != Weight::Fixed(1.0) {
            term.insert("weight".to_owned(), weight.json());
        }
        (index.to_string(), Value::Object(term))
    });
    let chosen = Chosen { kind: SUM.to_owned(), fields: stored.collect() };
    Choice::composed(chosen, Arc::new(Sum(terms)))
}

impl Distillation for Sum {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let weighed = self.0.iter().map(|term| (term.weight.at(batch.epoch), term));
        let losses = weighed.enumerate().filter(|(_, (weight, _))| *weight != 0.0).map(
            |(index, (weight, term))| {
                let given = batch.given.terms.get(index).cloned().unwrap_or_default();
                term.objective.loss(Batch { given, ..batch.clone() }) * weight
            },
        );
        let sum = losses.reduce(|sum, loss| sum + loss);
        // In an epoch in which all ramps are at 0 nothing is learnt.
        sum.unwrap_or_else(|| (batch.student.clone() * 0.0).sum())
    }

    fn sees_each(&self) -> bool {
        self.0.iter().any(|term| term.objective.sees_each())
    }

    fn needs(&self, student: &[Tapped], teacher: &[Tapped]) -> Result<Needs, String> {
        let terms = self.0.iter().map(|term| term.objective.needs(student, teacher));
        Ok(Needs { terms: terms.collect::<Result<_, _>>()?, ..Needs::default() })
    }

    fn ask(&self, networks: &mut dyn Networks, seen: &Seen, given: &mut Given) {
        for (term, given) in self.0.iter().zip(&mut given.terms) {
            if term.weight.at(seen.epoch) != 0.0 {
                term.objective.ask(networks, seen, given);
            }
        }
    }

    fn compares_images(&self) -> bool {
        self.0.iter().any(|term| term.objective.compares_images())
    }

    fn teaches_classes(&self, epoch: usize) -> bool {
        let counts = |term: &&Term| term.weight.at(epoch) != 0.0;
        self.0.iter().filter(counts).any(|term| term.objective.teaches_classes(epoch))
    }

    fn learned_temperature(&self, learned: &Given) -> Option<Tensor<1>> {
        let mut terms = self.0.iter().zip(&learned.terms);
        terms.find_map(|(term, learned)| term.objective.learned_temperature(learned))
    }

    /// That of the first term that has one.
    fn temperature(&self) -> Option<f64> {
        self.0.iter().find_map(|term| term.objective.temperature())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::{
        Dist, Kd,
        golden::{self, assert_near, batch, of},
    };

    fn dist() -> Dist {
        Dist { temperature: 1.0, beta: 1.0, gamma: 1.0, weight: 1.0, ce: 0.0, standardize: false }
    }

    #[test]
    fn losses_and_gradients_add() {
        let (kd, dist) = (Kd::new(4.0, 0.5), dist());
        let terms = vec![
            Term { weight: Weight::Fixed(1.0), objective: kd.into() },
            Term { weight: Weight::Fixed(0.5), objective: dist.into() },
        ];
        let both = sum(terms);
        let (loss, gradient) = of(&*both, batch());
        let ((a, da), (b, db)) = (of(&kd, batch()), of(&dist, batch()));
        assert_near(&[loss], &[a + 0.5 * b]);
        let added: Vec<f32> = da.iter().zip(&db).map(|(a, b)| a + 0.5 * b).collect();
        assert_near(&gradient, &added);
        assert_eq!(both.temperature(), Some(4.0));
        let stored = serde_json::to_string(both.chosen()).unwrap();
        assert_eq!(
            stored,
            r#"{"sum":{"0":{"kd":{"lambda":0.5,"temperature":4.0}},"1":{"dist":{"ce":0.0,"weight":1.0},"weight":0.5}}}"#
        );
    }

    #[test]
    fn a_sum_of_one_is_that_one() {
        let kd = Choice::from(Kd::new(4.0, 0.5));
        let of = |weight| sum(vec![Term { weight, objective: kd.clone() }]);
        assert_eq!(of(Weight::Fixed(1.0)), kd);
        assert_ne!(of(Weight::Fixed(2.0)), kd);
        let ramp = of(Weight::Ramp { from: 0.0, to: 2.0, epochs: [1, 3] });
        let at = |epoch| golden::of(&*ramp, Batch { epoch, ..batch() }).0;
        assert_near(&[at(1), at(2), at(3)], &[0.0, at(9) / 2.0, at(9)]);
    }
}
