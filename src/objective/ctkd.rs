//! Curriculum temperature.

use super::{
    cross_entropy::cross_entropy,
    interface::{Batch, Distillation},
    needs::{Given, Needs, Parameter, Start},
    softened::{self, CE, STANDARDIZE, kl_sum},
};
use crate::{
    kind::{Choice, Field, Kind, Scalar},
    tap::Tapped,
};
use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};
use std::{f64::consts::PI, sync::Arc};

/// ce·CE + weight·τ²·KL(softmax(teacher/τ) ‖ softmax(student/τ)), τ = 1 + 20·σ(θ) with a trained θ that
/// ascends the loss: its gradient is multiplied by a factor that falls from 0 to −1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ctkd {
    /// What the teacher's term is multiplied by.
    pub weight: f64,
    /// What the cross entropy is multiplied by.
    pub ce: f64,
    /// Epochs in which the gradient's factor falls to −1.
    pub epochs: usize,
    /// Whether the teacher's term sees standardised logits.
    pub standardize: bool,
}

/// τ is within (1, 1 + 20), and θ starts at 1 (`CTKD/models/temp_global.py`).
const RANGE: f64 = 20.0;
const FIRST: f64 = 1.0;

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "ctkd",
    doc: "curriculum temperature: 0.1·CE + 0.9·τ²·KL, its τ trained against the student",
    source: "Li et al. 2023, the global temperature; CTKD 7d52522",
    fields: &[
        Field::from_0("weight", "a weight of 0 or more", "the weight of the teacher's term")
            .or(Scalar::Number(0.9)),
        CE.or(Scalar::Number(0.1)),
        Field::whole(
            "epochs",
            1,
            1_000_000,
            "epochs over which the factor of τ's gradient falls from 0 to −1 along a cosine",
        )
        .or(Scalar::Whole(10)),
        STANDARDIZE,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Ctkd>(fields))),
};

impl From<Ctkd> for Choice<dyn Distillation> {
    fn from(ctkd: Ctkd) -> Self {
        KIND.with(&ctkd)
    }
}

impl Ctkd {
    /// What θ's gradient is multiplied by in an epoch, counted from 1.
    fn factor(&self, epoch: usize) -> f64 {
        let gone = epoch.min(self.epochs) as f64 / self.epochs as f64;
        f64::midpoint((PI * gone).cos(), 1.0) - 1.0
    }
}

/// τ of θ, `[1]`.
fn temperature(theta: Tensor<1>) -> Tensor<1> {
    sigmoid(theta) * RANGE + 1.0
}

impl Distillation for Ctkd {
    fn needs(&self, _: &[Tapped], _: &[Tapped]) -> Result<Needs, String> {
        let theta = Parameter { name: "theta", count: 1, start: Start::Constant(FIRST) };
        Ok(Needs { parameters: vec![theta], ..Needs::default() })
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let factor = self.factor(batch.epoch);
        let tau = temperature(batch.given.learned[0].clone());
        // Its value is τ, its gradient `factor` times τ's.
        let tau = tau.clone().detach() + (tau.clone() - tau.detach()) * factor;
        let [student, teacher] = softened::logits(&batch, self.standardize);
        let images = student.dims()[0] as f64;
        let divisor = tau.clone().unsqueeze::<2>();
        let kl = kl_sum(student / divisor.clone(), teacher / divisor, 1.0) / images;
        let soft = kl * tau.clone() * tau * self.weight;
        if self.ce == 0.0 {
            return soft;
        }
        cross_entropy(batch.student, batch.labels) * self.ce + soft
    }

    fn learned_temperature(&self, learned: &Given) -> Option<Tensor<1>> {
        learned.learned.first().map(|theta| temperature(theta.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::{
        Kd,
        golden::{assert_near, batch, of, value},
    };
    use burn::tensor::Device;

    const CTKD: Ctkd = Ctkd { weight: 1.0, ce: 0.0, epochs: 10, standardize: false };

    fn with(theta: f32, epoch: usize) -> (Batch, Tensor<1>) {
        let theta = Tensor::<1>::from_floats([theta], &Device::flex().autodiff()).require_grad();
        let given = Given { learned: vec![theta.clone()], ..Given::default() };
        (Batch { given, epoch, ..batch() }, theta)
    }

    #[test]
    fn it_is_kd_at_its_temperature() {
        // 1 + 20·σ(1), by the released code.
        let (first, theta) = with(1.0, 1);
        assert_near(&[value(temperature(theta))], &[15.621172]);
        let tau = 1.0 + 20.0 / (1.0 + (-1.0f64).exp());
        let (kd, ctkd) = (of(&Kd::new(tau, 1.0), batch()), of(&CTKD, first));
        assert_near(&[ctkd.0], &[kd.0]);
        assert_near(&ctkd.1, &kd.1);
    }

    #[test]
    fn the_temperature_ascends_the_loss() {
        let loss = |theta: f32| value(CTKD.loss(with(theta, 1).0));
        let slope = (loss(-3.0 + 0.02) - loss(-3.0 - 0.02)) / 0.04;
        let gradient = |epoch| {
            let (batch, theta) = with(-3.0, epoch);
            value(theta.grad(&CTKD.loss(batch).backward()).unwrap())
        };
        assert!(slope.abs() > 2e-3, "{slope}");
        for (epoch, factor) in [(1, -0.024472), (5, -0.5), (10, -1.0), (99, -1.0)] {
            assert_near(&[CTKD.factor(epoch) as f32], &[factor]);
            assert!((gradient(epoch) - slope * factor).abs() < 5e-3 * slope.abs(), "{epoch}");
        }
    }
}
