//! Hints.

use super::{
    features::{FIRST, after, weight},
    interface::{Batch, Distillation},
    needs::{Needs, Parameter, Start},
    softened::CE,
};
use crate::{
    kind::{Choice, Field, Kind, Scalar},
    tap::{Tap, Tapped, find},
};
use burn::tensor::{
    Tensor,
    activation::relu,
    module::{batch_norm_train, conv2d},
    ops::ConvOptions,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// ce·CE + weight·mean((ReLU(BN(conv(S))) − T)²) at the end of a stage; in the first epochs the hint alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitnet {
    /// What the hint's difference is multiplied by.
    pub weight: f64,
    /// What the cross entropy is multiplied by.
    pub ce: f64,
    /// The stage at whose end the student is given a hint, counted from 1.
    pub stage: usize,
    /// Epochs in which the student learns the hint alone.
    pub first: usize,
}

/// BatchNorm's ε, PyTorch's default.
const EPSILON: f64 = 1e-5;

pub(super) const KIND: Kind<dyn Distillation> = Kind {
    name: "fitnet",
    doc: "hints: CE + 100·the mean squared difference of the teacher's features and a trained projection \
          of the student's",
    source: "Romero et al. 2015; RepDistiller b84f547, models/util.py: ConvReg",
    fields: &[
        weight(100.0, "the weight of the hint's difference"),
        CE.or(Scalar::Number(1.0)),
        Field::whole("stage", 1, 1000, "the stage at whose end the features are compared")
            .or(Scalar::Whole(2)),
        FIRST,
    ],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Fitnet>(fields))),
};

impl From<Fitnet> for Choice<dyn Distillation> {
    fn from(fitnet: Fitnet) -> Self {
        KIND.with(&fitnet)
    }
}

/// The projection's rows and columns, and its stride: 1×1, or 3×3 that halves the image.
fn window(ours: [usize; 2], theirs: [usize; 2]) -> Option<[usize; 2]> {
    match ours {
        same if same == theirs => Some([1, 1]),
        double if double == theirs.map(|side| 2 * side) => Some([3, 2]),
        _ => None,
    }
}

impl Distillation for Fitnet {
    fn needs(&self, student: &[Tapped], teacher: &[Tapped]) -> Result<Needs, String> {
        let tap = Tap::Stage(self.stage);
        let ours = find(student, tap).map_err(|what| format!("the student {what}"))?;
        let theirs = find(teacher, tap).map_err(|what| format!("the teacher {what}"))?;
        let size = |tapped: Tapped| [tapped.shape.height, tapped.shape.width];
        let Some([kernel_size, _]) = window(size(ours), size(theirs)) else {
            return Err(format!(
                "the student's features at the end of stage {} are {}, the teacher's {}: a hint needs as \
                 many rows and columns, or half of them",
                self.stage, ours.shape, theirs.shape
            ));
        };
        let (inputs, outputs) = (ours.shape.channels, theirs.shape.channels);
        let fan_in = inputs * kernel_size * kernel_size;
        // A bias before BatchNorm, which the released code has, would change nothing.
        let parameters = vec![
            Parameter {
                name: "conv.weight",
                count: outputs * fan_in,
                start: Start::Uniform { fan_in },
            },
            Parameter { name: "bn.weight", count: outputs, start: Start::Constant(1.0) },
            Parameter { name: "bn.bias", count: outputs, start: Start::Constant(0.0) },
        ];
        Ok(Needs { parameters, ..Needs::features(vec![[ours, theirs]]) })
    }

    fn teaches_classes(&self, epoch: usize) -> bool {
        epoch > self.first
    }

    fn loss(&self, batch: Batch) -> Tensor<1> {
        let [student, teacher] = batch.given.pairs[0].clone();
        let [weight, gamma, beta] = [0, 1, 2].map(|index| batch.given.learned[index].clone());
        let [_, inputs, height, width] = student.dims();
        let [_, outputs, rows, columns] = teacher.dims();
        let window = window([height, width], [rows, columns]);
        let [kernel_size, stride] = window.expect("the needs were looked at");
        let weight = weight.reshape([outputs, inputs, kernel_size, kernel_size]);
        let options = ConvOptions::new([stride; 2], [kernel_size / 2; 2], [1, 1], 1);
        let projected = conv2d(student, weight, None, options);
        let projected = relu(batch_norm_train(projected, gamma, beta, EPSILON).output);
        let difference = projected - teacher.detach();
        let hint = (difference.clone() * difference).mean();
        after(self.first, self.ce, batch, hint * self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::golden::{features, of_features};
    use burn::tensor::Device;

    fn fitnet(first: usize, ce: f64) -> Fitnet {
        Fitnet { weight: 1.0, ce, stage: 2, first }
    }

    fn learned() -> Vec<Tensor<1>> {
        let device = Device::flex().autodiff();
        let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, &device).require_grad();
        // One channel sees the student's first, one its second, one their difference.
        vec![tensor(&[1.0, 0.0, 0.0, 1.0, 1.0, -1.0]), tensor(&[1.0; 3]), tensor(&[0.0; 3])]
    }

    #[test]
    fn the_hint_is_that_of_a_projection_worked_out_by_hand() {
        // By NumPy, in double precision: F.conv2d, F.batch_norm(training=True), relu, mse_loss.
        let (loss, _) = of_features(&fitnet(0, 0.0), vec![features()], learned());
        assert!((loss - 0.395_373).abs() < 1e-5, "{loss}");
        // In the first epochs the labels count for nothing.
        let (alone, _) = of_features(&fitnet(1, 1.0), vec![features()], learned());
        assert_eq!(alone, loss);
        assert!(of_features(&fitnet(0, 1.0), vec![features()], learned()).0 > loss + 1.0);
    }

    #[test]
    fn the_projection_halves_where_the_teacher_is_half_as_large() {
        assert_eq!(window([8, 8], [8, 8]), Some([1, 1]));
        assert_eq!(window([8, 8], [4, 4]), Some([3, 2]));
        assert_eq!(window([4, 4], [8, 8]), None);
    }
}
