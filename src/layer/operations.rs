//! The operations that layers are made of. Each is defined here once, with takd's kernels or burn's
//! behind it: layers do not know which, nor how images lie in memory.

use crate::kernels::{self, After, Form, MOMENTUM, Operands, Precision, Running};
use burn::tensor::{
    Tensor,
    activation::relu,
    module::{avg_pool2d, batch_norm, batch_norm_train, conv2d, max_pool2d},
    ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions},
};

/// What computes a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kernels {
    /// takd's own, of which there is a set for the CPU and one for GPUs.
    #[default]
    Takd,
    /// burn's operations everywhere.
    Burn,
}

/// Whether running or the batch's own statistics normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own, which also move the running ones.
    Train,
    /// The running ones.
    Infer,
}

/// How a batch goes through a network.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Training or inference.
    pub mode: Mode,
    /// What computes.
    pub kernels: Kernels,
}

/// What goes from layer to layer.
#[derive(Clone, Debug)]
pub enum Activation {
    /// Of image layers.
    Images(Images),
    /// Of fully connected layers, `[batch, features]`.
    Features(Tensor<2>),
}

impl Activation {
    /// As images.
    ///
    /// # Panics
    /// Behind a fully connected layer; an `Architecture` has no image layer there.
    pub fn images(self) -> Images {
        match self {
            Self::Images(images) => images,
            Self::Features(_) => unreachable!("image layers come first"),
        }
    }

    /// As features: images are flattened, channels first, as PyTorch's.
    pub fn features(self) -> Tensor<2> {
        match self {
            Self::Images(images) => images.channels_first().flatten(1, 3),
            Self::Features(features) => features,
        }
    }
}

/// A batch of images.
#[derive(Clone, Debug)]
pub struct Images {
    tensor: Tensor<4>,
    /// `[batch, height, width, channels]`, as takd's kernels read them, or
    /// `[batch, channels, height, width]`.
    channels_last: bool,
    /// What convolutions of these multiply.
    precision: Precision,
}

/// BatchNorm's tensors, `[channels]` each.
pub(super) struct NormTensors {
    pub gamma: Tensor<1>,
    pub beta: Tensor<1>,
    pub mean: Tensor<1>,
    pub variance: Tensor<1>,
}

/// Which channel comes where when `channels` of them are shuffled: the first of each group, the second of each.
pub(super) fn shuffled(channels: usize, groups: usize) -> Vec<usize> {
    let each = channels / groups;
    (0..channels).map(|place| place % groups * each + place / groups).collect()
}

impl Images {
    /// Images `[batch, channels, height, width]`, laid out for `kernels`, whose convolutions multiply with
    /// `precision`.
    pub fn new(images: Tensor<4>, kernels: Kernels, precision: Precision) -> Self {
        let channels_last = kernels == Kernels::Takd;
        let tensor = if channels_last { images.permute([0, 2, 3, 1]) } else { images };
        Self { tensor, channels_last, precision }
    }

    /// What their convolutions multiply.
    pub(super) fn precision(&self) -> Precision {
        self.precision
    }

    /// `[batch, channels, height, width]`.
    pub fn channels_first(self) -> Tensor<4> {
        if self.channels_last { self.tensor.permute([0, 3, 1, 2]) } else { self.tensor }
    }

    /// Changed by what expects `[batch, channels, height, width]`.
    pub(super) fn map(self, change: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        if self.channels_last {
            let tensor = change(self.tensor.permute([0, 3, 1, 2])).permute([0, 2, 3, 1]);
            return Self { tensor, ..self };
        }
        Self { tensor: change(self.tensor), ..self }
    }

    /// A max-pool; what is left of the last rows and columns is dropped.
    pub(super) fn max_pool(self, kernel_size: usize, stride: usize, padding: usize) -> Self {
        let options = MaxPoolOptions::new([kernel_size; 2]).with_stride([stride; 2]);
        self.map(|x| max_pool2d(x, options.with_padding([padding; 2])))
    }

    /// The mean of each 3×3 pixels, two apart, zeros around the image among them: `AvgPool2d(3, 2, 1)`.
    pub(super) fn avg_pool(self) -> Self {
        if self.channels_last {
            // The same filter for each channel.
            let channels = self.tensor.dims()[3];
            let ninth = Tensor::full([channels, 1, 3, 3], 1.0 / 9.0, &self.tensor.device());
            // A mean is no product to be rounded.
            let precision = self.precision;
            let exact = Self { precision: Precision::F32, ..self };
            return Self { precision, ..exact.conv(ninth, None, 2) };
        }
        let options = AvgPoolOptions::new([3; 2]).with_stride([2; 2]).with_padding([1; 2]);
        Self { tensor: avg_pool2d(self.tensor, options), ..self }
    }

    fn channel_dim(&self) -> usize {
        if self.channels_last { 3 } else { 1 }
    }

    /// Channel shuffle (Zhang et al. 2018, figure 1): the first channel of each group, the second of each, …
    pub(super) fn shuffle(self, groups: usize) -> Self {
        let shape = self.tensor.dims();
        let [a, b, c, d] = shape;
        let tensor = if self.channels_last {
            self.tensor.reshape([a, b, c, groups, d / groups]).swap_dims(3, 4).reshape(shape)
        } else {
            self.tensor.reshape([a, groups, b / groups, c, d]).swap_dims(1, 2).reshape(shape)
        };
        Self { tensor, ..self }
    }

    /// The channels of both.
    pub(super) fn cat(self, other: Self) -> Self {
        let dim = self.channel_dim();
        Self { tensor: Tensor::cat(vec![self.tensor, other.tensor], dim), ..self }
    }

    /// The first `count` channels, and the rest.
    pub(super) fn split(self, count: usize) -> [Self; 2] {
        let dim = self.channel_dim();
        let rest = self.tensor.dims()[dim] - count;
        let part = |start, length| self.tensor.clone().narrow(dim, start, length);
        [part(0, count), part(count, rest)].map(|tensor| Self { tensor, ..self })
    }

    /// Each channel times its factor, `[batch, channels]`.
    pub(super) fn scale(self, factors: Tensor<2>) -> Self {
        let [batch, channels] = factors.dims();
        let shape =
            if self.channels_last { [batch, 1, 1, channels] } else { [batch, channels, 1, 1] };
        Self { tensor: self.tensor * factors.reshape(shape), ..self }
    }

    /// The mean over all rows and columns, as images of one pixel.
    pub(super) fn mean(self) -> Self {
        if let Some(tensor) = self.channels_last.then(|| kernels::mean(&self.tensor)).flatten() {
            return Self { tensor, ..self };
        }
        let (columns, rows) = if self.channels_last { (2, 1) } else { (3, 2) };
        Self { tensor: self.tensor.mean_dim(columns).mean_dim(rows), ..self }
    }

    /// `conv(x) + shortcut`; `weight` is `[out, in, kernel, kernel]`.
    pub(super) fn conv(self, weight: Tensor<4>, shortcut: Option<Self>, stride: usize) -> Self {
        if self.has_kernels_for(&weight) {
            let shortcut = shortcut.map(|shortcut| shortcut.tensor);
            return Self {
                tensor: kernels::convolve(self.tensor, weight, shortcut, stride, self.precision),
                ..self
            };
        }
        self.burn_conv(weight, None, stride).plus(shortcut)
    }

    /// Whether takd has kernels for a convolution by `weight` where these images are.
    fn has_kernels_for(&self, weight: &Tensor<4>) -> bool {
        self.channels_last && kernels::convolves(&self.tensor, weight)
    }

    /// A convolution by burn's operations.
    fn burn_conv(self, weight: Tensor<4>, bias: Option<Tensor<1>>, stride: usize) -> Self {
        self.map(|x| {
            let [_, inputs, kernel_size, _] = weight.dims();
            let groups = x.dims()[1] / inputs;
            let options = ConvOptions::new([stride; 2], [kernel_size / 2; 2], [1, 1], groups);
            conv2d(x, weight, bias, options)
        })
    }

    fn plus(self, shortcut: Option<Self>) -> Self {
        match shortcut {
            Some(shortcut) => Self { tensor: self.tensor + shortcut.tensor, ..self },
            None => self,
        }
    }

    /// `after(norm(x))`, and in training the running moments from then on.
    pub(super) fn norm(
        self,
        tensors: NormTensors,
        after: After,
        epsilon: f64,
        mode: Mode,
    ) -> (Self, Option<Running>) {
        let NormTensors { gamma, beta, mean, variance } = tensors;
        if mode == Mode::Infer {
            // A factor and a summand per channel, in the order in which the channels lie.
            let scale = gamma / variance.add_scalar(epsilon).sqrt();
            let shift = beta - mean * scale.clone();
            let [scale, shift] = [scale, shift].map(|value| {
                let length = value.dims()[0];
                value.reshape(if self.channels_last {
                    [1, 1, 1, length]
                } else {
                    [1, length, 1, 1]
                })
            });
            let normed = Self { tensor: self.tensor * scale + shift, ..self };
            return (normed.followed_by(after), None);
        }
        if self.channels_last {
            let (tensor, running) =
                kernels::normalise(self.tensor, [gamma, beta], [mean, variance], after, epsilon);
            return (Self { tensor, ..self }, Some(running));
        }
        let (tensor, running) = burn_norm(self.tensor, [gamma, beta], [mean, variance], epsilon);
        (Self { tensor, ..self }.followed_by(after), Some(running))
    }

    pub(super) fn followed_by(self, after: After) -> Self {
        match after {
            After::Nothing => self,
            After::Relu => Self { tensor: relu(self.tensor), ..self },
            After::Relu6 => Self { tensor: self.tensor.clamp(0.0, 6.0), ..self },
            After::Pool => Self { tensor: relu(self.tensor), ..self }.max_pool(2, 2, 0),
        }
    }

    /// `after(norm(conv(x) + bias) + shortcut)`, and in training the running moments from then on; `weight`
    /// is `[out, in, kernel, kernel]`, `bias` `[out]`.
    pub(super) fn conv_norm(
        self,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        norm: NormTensors,
        shortcut: Option<Self>,
        form: Form,
        mode: Mode,
    ) -> (Self, Option<Running>) {
        let Form { stride, after, epsilon, .. } = form;
        if self.has_kernels_for(&weight) {
            let NormTensors { gamma, beta, mean, variance } = norm;
            let shortcut = shortcut.map(|shortcut| shortcut.tensor);
            let operands = Operands { weight, bias, gamma, beta, shortcut };
            if mode == Mode::Infer {
                let tensor = kernels::infer(self.tensor, operands, [mean, variance], form);
                return (Self { tensor, ..self }, None);
            }
            let (tensor, running) = kernels::train(self.tensor, operands, [mean, variance], form);
            return (Self { tensor, ..self }, Some(running));
        }
        let x = self.burn_conv(weight, bias, stride);
        if mode == Mode::Infer && !x.channels_last {
            let NormTensors { gamma, beta, mean, variance } = norm;
            let tensor = batch_norm(x.tensor, gamma, beta, mean, variance, epsilon);
            return (Self { tensor, ..x }.plus(shortcut).followed_by(after), None);
        }
        let own = if shortcut.is_some() { After::Nothing } else { after };
        let (x, running) = x.norm(norm, own, epsilon, mode);
        let x = if shortcut.is_some() { x.plus(shortcut).followed_by(after) } else { x };
        (x, running)
    }
}

/// BatchNorm of `[batch, channels, height, width]` by burn's operations, and the running moments from then on.
fn burn_norm(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    [mean, variance]: Running,
    epsilon: f64,
) -> (Tensor<4>, Running) {
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    let out = batch_norm_train(x, gamma, beta, epsilon);
    // PyTorch keeps the unbiased variance and normalises with the biased one.
    let unbiased = out.variance.inner().mul_scalar(count / (count - 1.0).max(1.0));
    (out.output, [blend(mean, out.mean.inner()), blend(variance, unbiased)])
}

fn blend(running: Tensor<1>, batch: Tensor<1>) -> Tensor<1> {
    running.mul_scalar(1.0 - MOMENTUM) + batch.mul_scalar(MOMENTUM)
}

/// `x · weightᵀ + bias`, with a ReLU if asked for: `[batch, in]` to `[batch, out]`; `weight` is
/// `[out, in]`, `bias` `[out]`.
///
/// A frozen network's is a 1×1 convolution over one pixel by takd's kernels for the CPU, with which an image's bits
/// do not depend on the batch that it is in: so stored logits teach as those that are made anew at each
/// step.
pub fn linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    with_relu: bool,
    pass: Pass,
) -> Tensor<2> {
    if pass.kernels == Kernels::Burn {
        let x = x.matmul(weight.transpose()) + bias.unsqueeze();
        return if with_relu { relu(x) } else { x };
    }
    if pass.mode == Mode::Train || !kernels::on_cpu(&x.device()) {
        return kernels::linear(x, weight, bias, with_relu);
    }
    let ([batch, inputs], [outputs, _]) = (x.dims(), weight.dims());
    let device = x.device();
    let operands = Operands {
        weight: weight.reshape([outputs, inputs, 1, 1]),
        bias: None,
        gamma: Tensor::ones([outputs], &device),
        beta: bias,
        shortcut: None,
    };
    let moments = [Tensor::zeros([outputs], &device), Tensor::ones([outputs], &device)];
    let after = if with_relu { After::Relu } else { After::Nothing };
    let precision = Precision::F32;
    let form = Form { kernel_size: 1, stride: 1, after, epsilon: 0.0, precision };
    let x = x.reshape([batch, 1, 1, inputs]);
    kernels::infer(x, operands, moments, form).reshape([batch, outputs])
}
