//! The plain convolutional networks of the paper.

use super::tensors::{LoadError, Loader, NamedTensor, Role, Saver, Visitor};
use crate::{
    config::{Layer, Net},
    rng::{Purpose, Stream},
};
use burn::tensor::{
    Device, Tensor, TensorData, activation,
    module::{batch_norm, batch_norm_train, conv2d, max_pool2d},
    ops::{ConvOptions, MaxPoolOptions},
};

/// PyTorch's `nn.BatchNorm2d` defaults.
const BATCH_NORM_EPSILON: f64 = 1e-5;
const BATCH_NORM_MOMENTUM: f64 = 0.1;

/// A plain network with its weights on a device.
#[derive(Clone)]
pub struct PlainNet {
    blocks: Vec<Block>,
}

#[derive(Clone)]
enum Block {
    Conv(Box<ConvBlock>),
    MaxPool,
    Fc(Box<FcBlock>),
}

/// Linear layer, with a ReLU unless it is the last.
#[derive(Clone)]
struct FcBlock {
    name: String,
    weight: Tensor<2>, // [out, in]
    bias: Tensor<1>,   // [out]
    relu: bool,
}

/// Convolution, BatchNorm, ReLU.
#[derive(Clone)]
struct ConvBlock {
    conv: String,
    norm: String,
    weight: Tensor<4>, // [out, in, 3, 3]
    bias: Tensor<1>,   // this and all below: [out]
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    var: Tensor<1>,
}

impl PlainNet {
    /// Builds `net` on `device`, with PyTorch's default initial weights drawn from `seed`.
    ///
    /// Names are those of the authors' `ConvNetMaker`: a `conv_layers` sequence in which a
    /// convolution, its BatchNorm, its ReLU and a max-pool each take a number, then `fc_layers`,
    /// in which a ReLU follows each layer but the last.
    pub fn init(net: &Net, seed: u64, device: &Device) -> Self {
        let mut input = net.input();
        let mut features = input.size();
        let (mut conv_index, mut fc_index) = (0, 0);
        let mut blocks = Vec::with_capacity(net.layers().len());
        for (position, &layer) in net.layers().iter().enumerate() {
            match layer {
                Layer::Conv(width) => {
                    let conv = format!("conv_layers.{conv_index}");
                    let norm = format!("conv_layers.{}", conv_index + 1);
                    let block = ConvBlock::init(conv, norm, input.channels, width, seed, device);
                    blocks.push(Block::Conv(Box::new(block)));
                    conv_index += 3;
                    input.channels = width;
                    features = input.size();
                }
                Layer::MaxPool => {
                    blocks.push(Block::MaxPool);
                    conv_index += 1;
                    (input.height, input.width) = (input.height / 2, input.width / 2);
                    features = input.size();
                }
                Layer::Fc(width) => {
                    let name = format!("fc_layers.{fc_index}");
                    let weight =
                        fan_in_uniform(&name, "weight", [width, features], features, seed, device);
                    let bias = fan_in_uniform(&name, "bias", [width], features, seed, device);
                    let relu = position + 1 < net.layers().len();
                    blocks.push(Block::Fc(Box::new(FcBlock { name, weight, bias, relu })));
                    fc_index += 2;
                    features = width;
                }
            }
        }
        Self { blocks }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`, with running
    /// statistics: what a trained network says.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        let normalise = |block: &ConvBlock, x| {
            let (mean, var) = (block.mean.clone(), block.var.clone());
            batch_norm(x, block.gamma.clone(), block.beta.clone(), mean, var, BATCH_NORM_EPSILON)
        };
        let mut blocks = self.blocks.iter();
        let mut x = images;
        for block in blocks.by_ref() {
            x = match block {
                Block::Conv(block) => activation::relu(normalise(block, block.convolve(x))),
                Block::MaxPool => pool(x),
                Block::Fc(_) => return classify(x.flatten(1, 3), block, blocks),
            };
        }
        x.flatten(1, 3)
    }

    /// Logits as [`infer`](Self::infer), with each batch's own statistics, which also move the
    /// running ones.
    pub fn train(&mut self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        let mut blocks = self.blocks.iter_mut();
        for block in blocks.by_ref() {
            x = match block {
                Block::Conv(block) => block.train(x),
                Block::MaxPool => pool(x),
                Block::Fc(_) => {
                    let rest = blocks.map(|block| &*block);
                    return classify(x.flatten(1, 3), block, rest);
                }
            };
        }
        x.flatten(1, 3)
    }

    /// Walks all tensors, input side first.
    pub fn visit(&mut self, visitor: &mut impl Visitor) {
        for block in &mut self.blocks {
            match block {
                Block::Conv(block) => block.visit(visitor),
                Block::MaxPool => {}
                Block::Fc(block) => block.visit(visitor),
            }
        }
    }

    /// Copies every tensor, running statistics included, to the host.
    pub fn save(&self) -> Vec<NamedTensor> {
        let mut saver = Saver::default();
        self.clone().visit(&mut saver);
        saver.0
    }

    /// Replaces every tensor.
    ///
    /// # Errors
    /// [`LoadError`] lists each missing, unexpected or wrongly shaped tensor; the network is then
    /// to be thrown away.
    pub fn load(&mut self, tensors: Vec<NamedTensor>) -> Result<(), LoadError> {
        let mut loader = Loader::new(tensors);
        self.visit(&mut loader);
        loader.finish()
    }
}

impl ConvBlock {
    fn init(
        conv: String,
        norm: String,
        inputs: usize,
        width: usize,
        seed: u64,
        device: &Device,
    ) -> Self {
        let fan_in = inputs * 9;
        Self {
            weight: fan_in_uniform(&conv, "weight", [width, inputs, 3, 3], fan_in, seed, device),
            bias: fan_in_uniform(&conv, "bias", [width], fan_in, seed, device),
            gamma: Tensor::ones([width], device),
            beta: Tensor::zeros([width], device),
            mean: Tensor::zeros([width], device),
            var: Tensor::ones([width], device),
            conv,
            norm,
        }
    }

    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        conv2d(x, self.weight.clone(), Some(self.bias.clone()), options)
    }

    fn train(&mut self, x: Tensor<4>) -> Tensor<4> {
        let x = self.convolve(x);
        let [batch, _, height, width] = x.dims();
        let out = batch_norm_train(x, self.gamma.clone(), self.beta.clone(), BATCH_NORM_EPSILON);
        // PyTorch keeps the unbiased variance and normalises with the biased one.
        let count = (batch * height * width) as f64;
        let unbiased = out.variance.inner().mul_scalar(count / (count - 1.0).max(1.0));
        self.mean = blend(self.mean.clone(), out.mean.inner());
        self.var = blend(self.var.clone(), unbiased);
        activation::relu(out.output)
    }

    fn visit(&mut self, visitor: &mut impl Visitor) {
        visitor.visit(&format!("{}.weight", self.conv), Role::Parameter, &mut self.weight);
        visitor.visit(&format!("{}.bias", self.conv), Role::Parameter, &mut self.bias);
        visitor.visit(&format!("{}.weight", self.norm), Role::Parameter, &mut self.gamma);
        visitor.visit(&format!("{}.bias", self.norm), Role::Parameter, &mut self.beta);
        visitor.visit(&format!("{}.running_mean", self.norm), Role::Statistic, &mut self.mean);
        visitor.visit(&format!("{}.running_var", self.norm), Role::Statistic, &mut self.var);
    }
}

impl FcBlock {
    fn visit(&mut self, visitor: &mut impl Visitor) {
        visitor.visit(&format!("{}.weight", self.name), Role::Parameter, &mut self.weight);
        visitor.visit(&format!("{}.bias", self.name), Role::Parameter, &mut self.bias);
    }
}

fn blend(running: Tensor<1>, batch: Tensor<1>) -> Tensor<1> {
    running.mul_scalar(1.0 - BATCH_NORM_MOMENTUM) + batch.mul_scalar(BATCH_NORM_MOMENTUM)
}

fn pool(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]))
}

/// The fully connected layers, from `first` on: `[batch, features]` to `[batch, classes]`.
fn classify<'a>(
    x: Tensor<2>,
    first: &'a Block,
    rest: impl Iterator<Item = &'a Block>,
) -> Tensor<2> {
    std::iter::once(first).chain(rest).fold(x, |x, block| match block {
        Block::Fc(block) => {
            let x = x.matmul(block.weight.clone().transpose()) + block.bias.clone().unsqueeze();
            if block.relu { activation::relu(x) } else { x }
        }
        Block::Conv(_) | Block::MaxPool => x,
    })
}

/// PyTorch's default for convolutions and linear layers, weights and biases alike: uniform in
/// ±1/√fan_in (`kaiming_uniform_` with a = √5).
fn fan_in_uniform<const D: usize>(
    layer: &str,
    part: &str,
    shape: [usize; D],
    fan_in: usize,
    seed: u64,
    device: &Device,
) -> Tensor<D> {
    let bound = 1.0 / (fan_in as f32).sqrt();
    let mut stream = Stream::new(seed, Purpose::Init(&format!("{layer}.{part}")), 0, 0);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| (stream.uniform() * 2.0 - 1.0) * bound).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
