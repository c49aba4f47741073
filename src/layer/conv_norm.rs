//! A convolution with its BatchNorm: what every image layer is made of.

use super::{
    init::{self, Source},
    norm::{EPSILON, Norm},
    operations::{Images, Mode},
};
use crate::{
    kernels::{After, Form},
    onnx::{ConvValues, Drawing, Edge},
    recipe::BatchnormWeight,
    tensors::{Role, Visitor, host},
};
use burn::tensor::Tensor;

/// A convolution's extent.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// Rows and columns of the kernel.
    pub kernel_size: usize,
    /// Pixels between two outputs.
    pub stride: usize,
    /// Groups of channels, each with filters of its own.
    pub groups: usize,
}

impl Window {
    /// Over all channels.
    pub fn new(kernel_size: usize, stride: usize) -> Self {
        Self { kernel_size, stride, groups: 1 }
    }

    /// 3×3, over each channel by itself.
    pub fn depthwise(channels: usize, stride: usize) -> Self {
        Self { kernel_size: 3, stride, groups: channels }
    }
}

/// Convolution, with or without bias, then BatchNorm.
#[derive(Clone)]
pub(super) struct ConvNorm {
    conv: String,
    window: Window,
    weight: Tensor<4>,       // [out, in of a group, kernel, kernel]
    bias: Option<Tensor<1>>, // [out]
    norm: Norm,
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
        let mut norm = Norm::new(norm, outputs, from);
        if from.batchnorm_weight == BatchnormWeight::Uniform {
            norm.gamma = init::unit(&format!("{}.weight", norm.name), [outputs], from);
        }
        let window = Window::new(3, 1);
        Self { conv, window, weight, bias: Some(bias), norm }
    }

    /// Without bias and with He's initial weights, as the ResNets have it.
    pub fn residual(
        conv: String,
        norm: String,
        [inputs, outputs]: [usize; 2],
        window: Window,
        from: Source<'_>,
    ) -> Self {
        let weight = he_weight(&conv, [inputs, outputs], window, from);
        Self { conv, window, weight, bias: None, norm: Norm::new(norm, outputs, from) }
    }

    /// Without bias and with PyTorch's default initial weights, as the ShuffleNets have it.
    pub fn uniform(
        conv: String,
        norm: String,
        [inputs, outputs]: [usize; 2],
        window: Window,
        from: Source<'_>,
    ) -> Self {
        let Window { kernel_size, groups, .. } = window;
        let shape = [outputs, inputs / groups, kernel_size, kernel_size];
        let fan_in = shape[1..].iter().product();
        let weight = init::uniform(&format!("{conv}.weight"), shape, fan_in, from);
        Self { conv, window, weight, bias: None, norm: Norm::new(norm, outputs, from) }
    }

    /// Images of `in` channels to ⌈height/stride⌉ × ⌈width/stride⌉ of `out`, with what follows.
    pub fn forward(
        &mut self,
        x: Images,
        shortcut: Option<Images>,
        after: After,
        mode: Mode,
    ) -> Images {
        let Window { kernel_size, stride, .. } = self.window;
        let precision = x.precision();
        let form = Form { kernel_size, stride, after, epsilon: EPSILON, precision };
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let (out, running) = x.conv_norm(weight, bias, self.norm.tensors(), shortcut, form, mode);
        self.norm.track(running);
        out
    }

    /// Adds a convolution and its BatchNorm to a graph.
    pub fn draw(&self, graph: &mut Drawing, x: &Edge) -> Edge {
        let conv = ConvValues {
            name: &self.conv,
            stride: self.window.stride,
            groups: self.window.groups,
            weight: (self.weight.dims().to_vec(), host(self.weight.clone())),
            bias: self.bias.clone().map(host),
        };
        graph.conv_norm(x, conv, &self.norm.values())
    }

    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.visit(&format!("{}.weight", self.conv), Role::Parameter, &mut self.weight);
        if let Some(bias) = &mut self.bias {
            visitor.visit(&format!("{}.bias", self.conv), Role::Parameter, bias);
        }
        self.norm.visit(visitor);
    }
}

/// The weight of a convolution called `conv`, from `inputs` to `outputs` channels, with He's initial values.
pub(super) fn he_weight(
    conv: &str,
    [inputs, outputs]: [usize; 2],
    window: Window,
    from: Source<'_>,
) -> Tensor<4> {
    let Window { kernel_size, groups, .. } = window;
    let shape = [outputs, inputs / groups, kernel_size, kernel_size];
    init::he_normal(&format!("{conv}.weight"), shape, outputs * kernel_size * kernel_size, from)
}

/// Number of parameters of a convolution without bias and its BatchNorm.
pub(super) fn parameters(inputs: usize, outputs: usize, kernel_size: usize) -> usize {
    inputs * outputs * kernel_size * kernel_size + 2 * outputs
}
