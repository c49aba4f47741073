//! Objectives that add.

use super::interface::{Batch, Distillation};
use crate::kind::{Choice, Chosen};
use burn::tensor::Tensor;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a sum is called where a single objective has its kind.
pub const SUM: &str = "sum";

/// A term of a sum.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it is multiplied by.
    pub weight: f64,
    /// The objective, its own cross entropy included.
    pub objective: Choice<dyn Distillation>,
}

/// Σ weight · objective, in the order of the terms.
#[derive(Debug)]
struct Sum(Vec<Term>);

/// The sum of `terms`, which is the objective itself where there is one of weight 1. It is stored as
/// `{"sum":{"0":{"kd":{…}},"1":{"dist":{…},"weight":0.5}}}`: a weight of 1 is left out.
pub fn sum(terms: Vec<Term>) -> Choice<dyn Distillation> {
    if let [Term { weight: 1.0, objective }] = terms.as_slice() {
        return objective.clone();
    }
    let stored = terms.iter().enumerate().map(|(index, Term { weight, objective })| {
        let mut term: Map<String, Value> =
            match serde_json::to_value(objective.chosen()).expect("plain data is always JSON") {
                Value::Object(term) => term,
                _ => Map::new(),
            };
        if *weight != 1.0 {
            term.insert("weight".to_owned(), json!(weight));
        }
        (index.to_string(), Value::Object(term))
    });
    let chosen = Chosen { kind: SUM.to_owned(), fields: stored.collect() };
    Choice::composed(chosen, Arc::new(Sum(terms)))
}

impl Distillation for Sum {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let terms = self.0.iter().filter(|term| term.weight != 0.0);
        let losses = terms.map(|term| term.objective.loss(batch.clone()) * term.weight);
        losses.reduce(|sum, loss| sum + loss).expect("some term has a weight")
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
        golden::{assert_near, batch, of},
    };

    fn dist() -> Dist {
        Dist { temperature: 1.0, beta: 1.0, gamma: 1.0, weight: 1.0, ce: 0.0, standardize: false }
    }

    #[test]
    fn losses_and_gradients_add() {
        let (kd, dist) = (Kd::new(4.0, 0.5), dist());
        let terms = vec![
            Term { weight: 1.0, objective: kd.into() },
            Term { weight: 0.5, objective: dist.into() },
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
        assert_eq!(sum(vec![Term { weight: 1.0, objective: kd.clone() }]), kd);
        assert_ne!(sum(vec![Term { weight: 2.0, objective: kd.clone() }]), kd);
    }
}
