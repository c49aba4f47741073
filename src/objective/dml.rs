//! Deep mutual learning.

use super::{
    interface::{Batch, Distillation},
    softened::{self, STANDARDIZE, kl, standardized, with_labels},
};
use crate::kind::{Choice, Field, Kind, Scalar};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// CE + weight · the mean over the others of τ²·KL(softmax(other/τ) ‖ softmax(own/τ)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dml {
    /// τ, the softmax temperature of all.
    pub temperature: f64,
    /// What the others' term is multiplied by.
    pub weight: f64,
    /// Whether the others' terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "dml",
    doc: "deep mutual learning: CE + the mean KL from each network that learns beside it",
    source: "Zhang et al. 2018, equation 8; Deep-Mutual-Learning 34a2058",
    fields: &[
        Field::above_0("temperature", "a temperature above 0", "τ, the softmax temperature of all")
            .or(Scalar::Number(1.0)),
        Field::from_0("weight", "a weight of 0 or more", "the weight of the others' term")
            .or(Scalar::Number(1.0)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Dml>(fields))),
};

impl From<Dml> for Choice<dyn Distillation> {
    fn from(dml: Dml) -> Self {
        KIND.with(&dml)
    }
}

impl Default for Dml {
    fn default() -> Self {
        Self { temperature: 1.0, weight: 1.0, standardize: false }
    }
}

impl Distillation for Dml {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let Self { temperature, weight, standardize } = *self;
        let count = batch.teachers.len() as f64;
        let fused = || softened::fused(&batch, 1.0, &batch.teachers, weight / count, temperature);
        if let Some(loss) = (!standardize).then(fused).flatten() {
            return loss;
        }
        let shown = |logits: Tensor<2>| if standardize { standardized(logits) } else { logits };
        let student = shown(batch.student.clone());
        let each = batch
            .teachers
            .iter()
            .map(|other| kl(student.clone(), shown(other.clone().detach()), temperature));
        let all = each.reduce(|sum, kl| sum + kl);
        let soft = all.map_or_else(|| student.clone().sum() * 0.0, |all| all * (weight / count));
        with_labels(1.0, batch, soft)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }

    fn teacher_weight(&self, _: usize) -> Option<f64> {
        Some(self.weight * self.temperature * self.temperature)
    }

    fn sees_each(&self) -> bool {
        true
    }

    fn lighter(&self, _: usize) -> Option<String> {
        softened::lighter("weight")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, of};

    /// L1 and L2 of the reference values.
    #[test]
    fn each_of_two_learns_from_the_other() {
        let dml = Dml::default();
        assert_near(&[of(&dml, batch()).0], &[1.418368]);
        let batch = batch();
        let other = Batch {
            student: batch.teacher.clone().detach().require_grad(),
            teachers: vec![batch.student],
            ..super::super::golden::batch()
        };
        assert_near(&[of(&dml, other).0], &[1.299063]);
    }

    #[test]
    fn of_several_the_mean_counts() {
        let one = of(&Dml::default(), batch()).0;
        let teachers = vec![batch().teacher; 3];
        assert_near(&[of(&Dml::default(), Batch { teachers, ..batch() }).0], &[one]);
    }
}
