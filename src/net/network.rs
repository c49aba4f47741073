//! A network with its weights on a device.

use super::{
    conv_norm::{ConvNorm, Mode, Window},
    init,
    init::Source,
    residual::Residual,
    tensors::{LoadError, Loader, NamedTensor, Role, Saver, Visitor},
};
use crate::{
    config::{BatchnormWeight, Block as BlockConfig, Layer, Net},
    ops::{self, After, Form, Operands},
};
use burn::tensor::{Device, Tensor, activation::relu, module::max_pool2d, ops::MaxPoolOptions};

/// Layers with their tensors.
#[derive(Clone)]
pub struct Network {
    blocks: Vec<Block>,
    ops: Ops,
}

/// What computes a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ops {
    /// takd's own operations on burn's CPU backend, burn's on any other.
    #[default]
    Own,
    /// burn's operations everywhere.
    Plain,
}

#[derive(Clone)]
enum Block {
    /// Convolution, BatchNorm, ReLU.
    Conv(Box<ConvNorm>),
    MaxPool,
    /// 3×3 with stride 2 and padding 1.
    StemPool,
    Residual(Box<Residual>),
    AvgPool,
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

/// Hands out PyTorch's names.
///
/// Plain layers are called as in the authors' `ConvNetMaker`: a `conv_layers` sequence in which a
/// convolution, its BatchNorm, its ReLU and a max-pool each take a number, then `fc_layers`, in
/// which a ReLU follows each layer but the last. Residual networks are called as in torchvision:
/// `conv1`, `bn1`, `layer1.0`, …, `fc`; a new `layer` starts where width or stride change.
struct Names {
    residual: bool,
    conv: usize,
    fc: usize,
    stage: usize,
    place: usize,
    width: usize,
}

impl Names {
    fn new(net: &Net) -> Self {
        let one_fc = net.layers().iter().filter(|layer| matches!(layer, Layer::Fc(_))).count() == 1;
        let blocks = net.layers().iter().any(|layer| matches!(layer, Layer::Block(_)));
        Self { residual: one_fc && blocks, conv: 0, fc: 0, stage: 0, place: 0, width: 0 }
    }

    fn conv(&mut self) -> (String, String) {
        let number = self.conv;
        self.conv += 3;
        (format!("conv_layers.{number}"), format!("conv_layers.{}", number + 1))
    }

    fn block(&mut self, block: BlockConfig) -> String {
        if self.stage == 0 || block.stride > 1 || block.width != self.width {
            (self.stage, self.place, self.width) = (self.stage + 1, 0, block.width);
        }
        self.place += 1;
        format!("layer{}.{}", self.stage, self.place - 1)
    }

    fn fc(&mut self) -> String {
        let number = self.fc;
        self.fc += 2;
        if self.residual { "fc".to_owned() } else { format!("fc_layers.{number}") }
    }
}

impl Network {
    /// Builds `net` on `device` with initial weights drawn from `seed`: PyTorch's defaults for plain
    /// layers, He's for residual ones.
    pub fn init(net: &Net, seed: u64, device: &Device) -> Self {
        Self::init_with(net, seed, BatchnormWeight::Ones, device)
    }

    /// As [`init`](Self::init), with other BatchNorm weights in plain layers.
    pub fn init_with(
        net: &Net,
        seed: u64,
        batchnorm_weight: BatchnormWeight,
        device: &Device,
    ) -> Self {
        let from = Source { seed, batchnorm_weight, device };
        let mut names = Names::new(net);
        let mut shape = net.input();
        let mut blocks = Vec::with_capacity(net.layers().len());
        for (position, &layer) in net.layers().iter().enumerate() {
            let inputs = shape.channels;
            let stem = |outputs, side, stride| {
                let window = Window { side, stride };
                let (conv, norm) = ("conv1".to_owned(), "bn1".to_owned());
                ConvNorm::residual(conv, norm, [inputs, outputs], window, from)
            };
            match layer {
                Layer::Conv(width) => {
                    let (conv, norm) = names.conv();
                    let block = ConvNorm::plain(conv, norm, inputs, width, from);
                    blocks.push(Block::Conv(Box::new(block)));
                }
                Layer::MaxPool => {
                    names.conv += 1;
                    blocks.push(Block::MaxPool);
                }
                Layer::Stem(width) => blocks.push(Block::Conv(Box::new(stem(width, 3, 1)))),
                Layer::BigStem(width) => {
                    blocks.push(Block::Conv(Box::new(stem(width, 7, 2))));
                    blocks.push(Block::StemPool);
                }
                Layer::Block(block) => {
                    let residual = Residual::init(&names.block(block), block, inputs, from);
                    blocks.push(Block::Residual(Box::new(residual)));
                }
                Layer::AvgPool => blocks.push(Block::AvgPool),
                Layer::Fc(width) => {
                    let relu = position + 1 < net.layers().len();
                    let block = FcBlock::init(names.fc(), shape.size(), width, relu, from);
                    blocks.push(Block::Fc(Box::new(block)));
                }
            }
            shape = shape.after(layer);
        }
        let ops = if device.clone().inner() == Device::flex() { Ops::Own } else { Ops::Plain };
        Self { blocks, ops }
    }

    /// The same network, on burn's operations if `ops` says so.
    pub fn with_ops(self, ops: Ops) -> Self {
        Self { ops: if ops == Ops::Plain { ops } else { self.ops }, ..self }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`, with running
    /// statistics: what a trained network says.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        // Tensors are shared by the copy, which is there for the mode's sake only.
        self.clone().forward(images, Mode::Infer)
    }

    /// Logits as [`infer`](Self::infer), with each batch's own statistics, which also move the
    /// running ones.
    pub fn train(&mut self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images, Mode::Train)
    }

    fn forward(&mut self, images: Tensor<4>, mode: Mode) -> Tensor<2> {
        match self.ops {
            Ops::Own => self.forward_own(images, mode),
            Ops::Plain => self.forward_plain(images, mode),
        }
    }

    /// By takd's own operations, between which images lie as `[batch, height, width, channels]`.
    fn forward_own(&mut self, images: Tensor<4>, mode: Mode) -> Tensor<2> {
        let (mut x, mut flat) = (images.permute([0, 2, 3, 1]), None);
        let mut blocks = self.blocks.iter_mut().peekable();
        while let Some(block) = blocks.next() {
            match block {
                Block::Conv(conv) => {
                    let pooled = matches!(blocks.peek(), Some(Block::MaxPool));
                    let after = if pooled { After::Pool } else { After::Relu };
                    x = conv.forward_own(x, None, after, mode);
                    if pooled {
                        blocks.next();
                    }
                }
                Block::MaxPool => x = last_to_first(x, max_pool),
                Block::StemPool => x = last_to_first(x, stem_pool),
                Block::Residual(residual) => x = residual.forward_own(x, mode),
                Block::AvgPool => x = x.mean_dim(2).mean_dim(1),
                Block::Fc(fc) => {
                    let features =
                        flat.take().unwrap_or_else(|| flatten(x.clone().permute([0, 3, 1, 2])));
                    flat = Some(match mode {
                        Mode::Train => fc.forward(features),
                        Mode::Infer => fc.infer_own(features),
                    });
                }
            }
        }
        flat.unwrap_or_else(|| flatten(x.permute([0, 3, 1, 2])))
    }

    fn forward_plain(&mut self, images: Tensor<4>, mode: Mode) -> Tensor<2> {
        let (mut x, mut flat) = (images, None);
        for block in &mut self.blocks {
            match block {
                Block::Conv(conv) => x = relu(conv.forward(x, mode)),
                Block::MaxPool => x = max_pool(x),
                Block::StemPool => x = stem_pool(x),
                Block::Residual(residual) => x = residual.forward(x, mode),
                Block::AvgPool => x = x.mean_dim(3).mean_dim(2),
                Block::Fc(fc) => {
                    let features = flat.take().unwrap_or_else(|| flatten(x.clone()));
                    flat = Some(fc.forward(features));
                }
            }
        }
        flat.unwrap_or_else(|| flatten(x))
    }

    /// Walks all tensors, input side first.
    pub fn visit(&mut self, visitor: &mut impl Visitor) {
        for block in &mut self.blocks {
            match block {
                Block::Conv(conv) => conv.visit(visitor),
                Block::Residual(residual) => residual.visit(visitor),
                Block::Fc(fc) => fc.visit(visitor),
                Block::MaxPool | Block::StemPool | Block::AvgPool => {}
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

fn max_pool(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]))
}

fn stem_pool(x: Tensor<4>) -> Tensor<4> {
    let options = MaxPoolOptions::new([3, 3]).with_stride([2, 2]);
    max_pool2d(x, options.with_padding([1, 1]))
}

/// `[batch, channels, height, width]` to `[batch, channels × height × width]`.
fn flatten(x: Tensor<4>) -> Tensor<2> {
    x.flatten(1, 3)
}

/// Applies what expects channels before rows and columns to images that have them last.
fn last_to_first(x: Tensor<4>, change: impl Fn(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    change(x.permute([0, 3, 1, 2])).permute([0, 2, 3, 1])
}

impl FcBlock {
    fn init(name: String, inputs: usize, outputs: usize, relu: bool, from: Source<'_>) -> Self {
        let weight = init::uniform(&format!("{name}.weight"), [outputs, inputs], inputs, from);
        let bias = init::uniform(&format!("{name}.bias"), [outputs], inputs, from);
        Self { name, weight, bias, relu }
    }

    /// `[batch, in]` to `[batch, out]`.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = x.matmul(self.weight.clone().transpose()) + self.bias.clone().unsqueeze();
        if self.relu { relu(x) } else { x }
    }

    /// As [`forward`](Self::forward) for a frozen network, as a 1×1 convolution over one pixel: by
    /// takd's own operations an image's bits do not depend on the batch that it is in. So stored
    /// logits teach as those that are made anew at each step.
    fn infer_own(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, inputs] = x.dims();
        let ([outputs, _], device) = (self.weight.dims(), x.device());
        let operands = Operands {
            weight: self.weight.clone().reshape([outputs, inputs, 1, 1]),
            bias: None,
            gamma: Tensor::ones([outputs], &device),
            beta: self.bias.clone(),
            side: None,
        };
        let moments = [Tensor::zeros([outputs], &device), Tensor::ones([outputs], &device)];
        let after = if self.relu { After::Relu } else { After::Plain };
        let form = Form { side: 1, stride: 1, after, epsilon: 0.0 };
        let x = x.reshape([batch, 1, 1, inputs]);
        ops::infer(x, operands, moments, form).reshape([batch, outputs])
    }

    fn visit(&mut self, visitor: &mut impl Visitor) {
        visitor.visit(&format!("{}.weight", self.name), Role::Parameter, &mut self.weight);
        visitor.visit(&format!("{}.bias", self.name), Role::Parameter, &mut self.bias);
    }
}
