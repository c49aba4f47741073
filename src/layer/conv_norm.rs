//! A convolution with its BatchNorm: what every image layer is made of.

use super::{
    init::{self, Source},
    operations::{ConvNormTensors, Images, Mode, Moments},
};
use crate::{
    kernels::{After, Form},
    onnx::{ConvNormValues, Drawing, Edge},
    recipe::BatchnormWeight,
    tensors::{Role, Visitor, host},
};
use burn::tensor::Tensor;

/// PyTorch's `nn.BatchNorm2d` defaults.
const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// A convolution's extent.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// Rows and columns of the kernel.
    pub kernel_size: usize,
    /// Pixels between two outputs.
    pub stride: usize,
}

/// Convolution, with or without bias, then BatchNorm.
#[derive(Clone)]
pub(super) struct ConvNorm {
    conv: String,
    norm: String,
    window: Window,
    weight: Tensor<4>,       // [out, in, kernel, kernel]
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
        let mut built =
            Self::new(conv, norm, Window { kernel_size: 3, stride: 1 }, weight, Some(bias));
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
        let shape = [outputs, inputs, window.kernel_size, window.kernel_size];
        let fan_out = outputs * window.kernel_size * window.kernel_size;
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

    /// Images of `in` channels to ⌈height/stride⌉ × ⌈width/stride⌉ of `out`, with what follows.
    pub fn forward(
        &mut self,
        x: Images,
        shortcut: Option<Images>,
        after: After,
        mode: Mode,
    ) -> Images {
        let Window { kernel_size, stride } = self.window;
        let form = Form { kernel_size, stride, after, epsilon: EPSILON };
        let tensors = ConvNormTensors {
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            gamma: self.gamma.clone(),
            beta: self.beta.clone(),
            mean: self.mean.clone(),
            variance: self.var.clone(),
        };
        let (out, moments) = x.conv_norm(tensors, shortcut, form, mode);
        if let Some(Moments { mean, variance, count }) = moments {
            self.track(mean, variance, count);
        }
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

    /// Adds a convolution and its BatchNorm to a graph.
    pub fn draw(&self, graph: &mut Drawing, x: &Edge) -> Edge {
        let [gamma, beta, mean, variance] =
            [&self.gamma, &self.beta, &self.mean, &self.var].map(|tensor| host(tensor.clone()));
        let values = ConvNormValues {
            conv: &self.conv,
            norm: &self.norm,
            stride: self.window.stride,
            weight: (self.weight.dims().to_vec(), host(self.weight.clone())),
            bias: self.bias.clone().map(host),
            gamma,
            beta,
            mean,
            variance,
            epsilon: EPSILON as f32,
        };
        graph.conv_norm(x, values)
    }

    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
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

/// Number of parameters of a convolution without bias and its BatchNorm.
pub(super) fn parameters(inputs: usize, outputs: usize, kernel_size: usize) -> usize {
    inputs * outputs * kernel_size * kernel_size + 2 * outputs
}
