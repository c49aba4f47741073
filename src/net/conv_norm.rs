//! A convolution with its BatchNorm: what every image layer is made of.

use super::{
    init::{self, Source},
    tensors::{Role, Visitor},
};
use crate::{
    config::BatchnormWeight,
    ops::{self, After, Form, Operands},
};
use burn::tensor::{
    Tensor,
    module::{batch_norm, batch_norm_train, conv2d},
    ops::ConvOptions,
};

/// PyTorch's `nn.BatchNorm2d` defaults.
const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// Whether running or the batch's own statistics normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The batch's own, which also move the running ones.
    Train,
    /// The running ones.
    Infer,
}

/// A convolution's extent.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// Rows and columns of the kernel.
    pub side: usize,
    /// Pixels between two outputs.
    pub stride: usize,
}

/// Convolution, with or without bias, then BatchNorm.
#[derive(Clone)]
pub(super) struct ConvNorm {
    conv: String,
    norm: String,
    window: Window,
    weight: Tensor<4>,       // [out, in, side, side]
    bias: Option<Tensor<1>>, // this and all below: [out]
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    var: Tensor<1>,
}

impl ConvNorm {
    /// 3×3 with bias and PyTorch's default initial weights, as the plain networks have it.
    pub fn plain(
        conv: String,
        norm: String,
        inputs: usize,
        outputs: usize,
        from: Source<'_>,
    ) -> Self {
        let fan_in = inputs * 9;
        let weight =
            init::uniform(&format!("{conv}.weight"), [outputs, inputs, 3, 3], fan_in, from);
        let bias = init::uniform(&format!("{conv}.bias"), [outputs], fan_in, from);
        let mut built = Self::new(conv, norm, Window { side: 3, stride: 1 }, weight, Some(bias));
        if from.batchnorm_weight == BatchnormWeight::Uniform {
            built.gamma = init::unit(&format!("{}.weight", built.norm), [outputs], from);
        }
        built
    }

    /// Without bias and with He's initial weights, as the ResNets have it.
    pub fn residual(
        conv: String,
        norm: String,
        [inputs, outputs]: [usize; 2],
        window: Window,
        from: Source<'_>,
    ) -> Self {
        let shape = [outputs, inputs, window.side, window.side];
        let fan_out = outputs * window.side * window.side;
        let weight = init::he_normal(&format!("{conv}.weight"), shape, fan_out, from);
        Self::new(conv, norm, window, weight, None)
    }

    fn new(
        conv: String,
        norm: String,
        window: Window,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
    ) -> Self {
        let (outputs, device) = (weight.dims()[0], weight.device());
        let [gamma, var] = [(); 2].map(|()| Tensor::ones([outputs], &device));
        let [beta, mean] = [(); 2].map(|()| Tensor::zeros([outputs], &device));
        Self { conv, norm, window, weight, bias, gamma, beta, mean, var }
    }

    /// `[batch, in, height, width]` to `[batch, out, ⌈height/stride⌉, ⌈width/stride⌉]`.
    pub fn forward(&mut self, x: Tensor<4>, mode: Mode) -> Tensor<4> {
        let Window { side, stride } = self.window;
        let options = ConvOptions::new([stride; 2], [side / 2; 2], [1, 1], 1);
        let x = conv2d(x, self.weight.clone(), self.bias.clone(), options);
        let (gamma, beta) = (self.gamma.clone(), self.beta.clone());
        if mode == Mode::Infer {
            return batch_norm(x, gamma, beta, self.mean.clone(), self.var.clone(), EPSILON);
        }
        let [batch, _, height, width] = x.dims();
        let out = batch_norm_train(x, gamma, beta, EPSILON);
        self.track(out.mean.inner(), out.variance.inner(), batch * height * width);
        out.output
    }

    /// As [`forward`](Self::forward) with what follows it, by takd's own operations: images lie as
    /// `[batch, height, width, channels]`, before and after.
    pub fn forward_own(
        &mut self,
        x: Tensor<4>,
        side: Option<Tensor<4>>,
        after: After,
        mode: Mode,
    ) -> Tensor<4> {
        let Window { side: extent, stride } = self.window;
        let form = Form { side: extent, stride, after, epsilon: EPSILON };
        let operands = Operands {
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            gamma: self.gamma.clone(),
            beta: self.beta.clone(),
            side,
        };
        if mode == Mode::Infer {
            return ops::infer(x, operands, [self.mean.clone(), self.var.clone()], form);
        }
        let [batch, height, width, _] = x.dims();
        let count = batch * height.div_ceil(stride) * width.div_ceil(stride);
        let (out, mean, variance) = ops::train(x, operands, form);
        self.track(mean, variance, count);
        out
    }

    /// Moves the running moments towards a batch's mean and biased variance over `count` pixels.
    fn track(&mut self, mean: Tensor<1>, variance: Tensor<1>, count: usize) {
        // PyTorch keeps the unbiased variance and normalises with the biased one.
        let count = count as f64;
        let unbiased = variance.mul_scalar(count / (count - 1.0).max(1.0));
        self.mean = blend(self.mean.clone(), mean);
        self.var = blend(self.var.clone(), unbiased);
    }

    pub fn visit(&mut self, visitor: &mut impl Visitor) {
        visitor.visit(&format!("{}.weight", self.conv), Role::Parameter, &mut self.weight);
        if let Some(bias) = &mut self.bias {
            visitor.visit(&format!("{}.bias", self.conv), Role::Parameter, bias);
        }
        visitor.visit(&format!("{}.weight", self.norm), Role::Parameter, &mut self.gamma);
        visitor.visit(&format!("{}.bias", self.norm), Role::Parameter, &mut self.beta);
        visitor.visit(&format!("{}.running_mean", self.norm), Role::Statistic, &mut self.mean);
        visitor.visit(&format!("{}.running_var", self.norm), Role::Statistic, &mut self.var);
    }
}

fn blend(running: Tensor<1>, batch: Tensor<1>) -> Tensor<1> {
    running.mul_scalar(1.0 - MOMENTUM) + batch.mul_scalar(MOMENTUM)
}
