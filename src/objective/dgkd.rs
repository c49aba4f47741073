//! Densely guided knowledge distillation.

use super::{
    interface::{Batch, Distillation},
    softened::{self, STANDARDIZE},
};
use crate::{
    kind::{Choice, Field, Kind, Scalar},
    objective::Reduction,
    rng::{Purpose, Stream},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// (1−λ)·CE + λ·τ²·Σ over teachers of KL(teacher/τ ‖ student/τ), a sum. Of each batch `drop` teachers,
/// drawn anew, are left out, without rescaling; one always stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dgkd {
    /// τ, above 0.
    pub temperature: f64,
    /// λ, in [0, 1]: the weight of the teachers against the labels.
    pub lambda: f64,
    /// Over what a divergence is averaged.
    pub reduction: Reduction,
    /// How many teachers a batch does without.
    pub drop: usize,
    /// Whether the teachers' terms see standardised logits.
    pub standardize: bool,
}

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "dgkd",
    doc: "densely guided distillation: (1−λ)·CE + λ·τ²·Σ over teachers of KL(teacher ‖ student)",
    source: "Son et al. 2021; DGKD 2599350, train.py:104-127",
    fields: &[
        Field::above_0(
            "temperature",
            "a temperature above 0",
            "τ, the softmax temperature of teachers and student",
        ),
        Field::weight("lambda", "λ, the weight of the teachers against the labels"),
        Field::word(
            "reduction",
            &["batchmean", "mean"],
            "how a KL divergence is averaged: over the batch, or over batch and classes",
        )
        .or(Scalar::Word("batchmean")),
        Field::whole(
            "drop",
            0,
            1000,
            "teachers that each batch does without, drawn for it; one always stays",
        )
        .or(Scalar::Whole(1)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Dgkd>(fields))),
};

impl From<Dgkd> for Choice<dyn Distillation> {
    fn from(dgkd: Dgkd) -> Self {
        KIND.with(&dgkd)
    }
}

impl Dgkd {
    /// Which teachers a batch learns from, in their order.
    fn staying(&self, teachers: usize, batch: &Batch) -> Vec<usize> {
        let dropped = self.drop.min(teachers.saturating_sub(1));
        let mut drawn: Vec<u32> = (0..teachers as u32).collect();
        let (epoch, step) = (batch.epoch as u64 - 1, batch.step as u64);
        Stream::new(batch.seed, Purpose::Drop, epoch, step).shuffle(&mut drawn);
        let mut staying: Vec<usize> =
            drawn[dropped..].iter().map(|&teacher| teacher as usize).collect();
        staying.sort_unstable();
        staying
    }
}

impl Distillation for Dgkd {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let classes = batch.student.dims()[1];
        let weight = self.lambda / self.reduction.divisor(classes) as f64;
        let staying = self.staying(batch.teachers.len(), &batch);
        let staying = staying.into_iter().map(|teacher| &batch.teachers[teacher]);
        let ce = 1.0 - self.lambda;
        let fused = || softened::fused(&batch, ce, staying.clone(), weight, self.temperature);
        if let Some(loss) = (!self.standardize).then(fused).flatten() {
            return loss;
        }
        let divergence = |teacher: &Tensor<2>| {
            let one = Batch { teacher: teacher.clone(), ..batch.clone() };
            let [student, teacher] = softened::logits(&one, self.standardize);
            softened::kl(student, teacher, self.temperature)
        };
        let terms = staying.map(divergence);
        let sum = terms.reduce(|sum, term| sum + term).expect("one teacher stays");
        softened::with_labels(ce, batch, sum * weight)
    }

    fn temperature(&self) -> Option<f64> {
        Some(self.temperature)
    }

    fn sees_each(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{assert_near, batch, of, second_teacher};

    fn two(step: usize) -> Batch {
        let first = batch();
        let teachers = vec![first.teacher.clone(), second_teacher()];
        Batch { teachers, step, ..first }
    }

    fn dgkd(drop: usize, reduction: Reduction) -> Dgkd {
        Dgkd { temperature: 5.0, lambda: 0.5, reduction, drop, standardize: false }
    }

    #[test]
    fn the_sums_are_those_of_the_released_code() {
        for (reduction, want) in [(Reduction::Batchmean, 0.833305), (Reduction::Mean, 0.691078)] {
            assert_near(&[of(&dgkd(0, reduction), two(0)).0], &[want]);
        }
    }

    #[test]
    fn each_batch_does_without_a_teacher_that_is_drawn() {
        let (all, one) = (dgkd(0, Reduction::Batchmean), dgkd(1, Reduction::Batchmean));
        let mut counts = [0; 2];
        for step in 0..200 {
            let staying = one.staying(2, &two(step));
            assert_eq!(staying.len(), 1);
            counts[staying[0]] += 1;
        }
        assert!(counts.iter().all(|&count| (70..=130).contains(&count)), "{counts:?}");
        assert_eq!(one.staying(2, &two(7)), one.staying(2, &two(7)), "the same for each look");
        // More than there are: one stays. One alone stays whatever is asked for.
        assert_eq!(dgkd(5, Reduction::Batchmean).staying(3, &two(0)).len(), 1);
        let alone = Batch { teachers: vec![batch().teacher], ..batch() };
        assert_near(&[of(&one, alone.clone()).0], &[of(&all, alone).0]);
    }
}
