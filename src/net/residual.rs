//! Residual blocks (He et al. 2016), under torchvision's names.

use super::{
    conv_norm::{ConvNorm, Mode, Window},
    init::Source,
    tensors::Visitor,
};
use crate::{
    config::{Block, BlockKind},
    ops::After,
};
use burn::tensor::{Tensor, activation::relu};

/// relu(path(x) + shortcut(x)), with ReLU between the convolutions of the path.
#[derive(Clone)]
pub(super) struct Residual {
    path: Vec<ConvNorm>,
    shortcut: Shortcut,
}

#[derive(Clone)]
enum Shortcut {
    Identity,
    /// 1×1 convolution and BatchNorm: option B.
    Project(Box<ConvNorm>),
    /// Every stride-th pixel, with zero channels around: option A.
    Pad {
        stride: usize,
        outputs: usize,
    },
}

impl Residual {
    /// The block called `name` (`layer1.0`), on `inputs` channels.
    pub fn init(name: &str, block: Block, inputs: usize, from: Source<'_>) -> Self {
        let Block { kind, width, stride } = block;
        let outputs = block.outputs();
        let three = |stride| Window { side: 3, stride };
        let one = |stride| Window { side: 1, stride };
        let path = match kind {
            BlockKind::Basic | BlockKind::PadBasic => {
                vec![([inputs, width], three(stride)), ([width, width], three(1))]
            }
            BlockKind::Bottleneck => vec![
                ([inputs, width], one(1)),
                ([width, width], three(stride)),
                ([width, outputs], one(1)),
            ],
        };
        let numbered = path.into_iter().enumerate().map(|(place, (channels, window))| {
            let number = place + 1;
            let (conv, norm) = (format!("{name}.conv{number}"), format!("{name}.bn{number}"));
            ConvNorm::residual(conv, norm, channels, window, from)
        });
        let same = stride == 1 && inputs == outputs;
        let shortcut = match kind {
            _ if same => Shortcut::Identity,
            BlockKind::PadBasic => Shortcut::Pad { stride, outputs },
            BlockKind::Basic | BlockKind::Bottleneck => {
                let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
                let project = ConvNorm::residual(conv, norm, [inputs, outputs], one(stride), from);
                Shortcut::Project(Box::new(project))
            }
        };
        Self { path: numbered.collect(), shortcut }
    }

    /// `[batch, in, height, width]` to `[batch, out, ⌈height/stride⌉, ⌈width/stride⌉]`.
    pub fn forward(&mut self, x: Tensor<4>, mode: Mode) -> Tensor<4> {
        let side = match &mut self.shortcut {
            Shortcut::Identity => x.clone(),
            Shortcut::Project(project) => project.forward(x.clone(), mode),
            Shortcut::Pad { stride, outputs } => pad(x.clone(), *stride, *outputs),
        };
        let last = self.path.len() - 1;
        let mut x = x;
        for (place, conv) in self.path.iter_mut().enumerate() {
            x = conv.forward(x, mode);
            if place < last {
                x = relu(x);
            }
        }
        relu(x + side)
    }

    /// As [`forward`](Self::forward) by takd's own operations: images lie as
    /// `[batch, height, width, channels]`, before and after.
    pub fn forward_own(&mut self, x: Tensor<4>, mode: Mode) -> Tensor<4> {
        let side = match &mut self.shortcut {
            Shortcut::Identity => x.clone(),
            Shortcut::Project(project) => project.forward_own(x.clone(), None, After::Plain, mode),
            Shortcut::Pad { stride, outputs } => {
                pad(x.clone().permute([0, 3, 1, 2]), *stride, *outputs).permute([0, 2, 3, 1])
            }
        };
        let [first @ .., last] = self.path.as_mut_slice() else { return x };
        let through = |x, conv: &mut ConvNorm| conv.forward_own(x, None, After::Relu, mode);
        let x = first.iter_mut().fold(x, through);
        last.forward_own(x, Some(side), After::Relu, mode)
    }

    pub fn visit(&mut self, visitor: &mut impl Visitor) {
        self.path.iter_mut().for_each(|conv| conv.visit(visitor));
        if let Shortcut::Project(project) = &mut self.shortcut {
            project.visit(visitor);
        }
    }
}

/// Every `stride`-th row and column, with zeros before and after the channels.
fn pad(x: Tensor<4>, stride: usize, outputs: usize) -> Tensor<4> {
    let x = if stride == 1 {
        x
    } else {
        let [_, _, height, width] = x.dims();
        let every = |length: usize| {
            let places: Vec<i32> = (0..length).step_by(stride).map(|place| place as i32).collect();
            Tensor::from_data(places.as_slice(), &x.device())
        };
        let (rows, columns) = (every(height), every(width));
        x.clone().select(2, rows).select(3, columns)
    };
    let [batch, inputs, height, width] = x.dims();
    let before = (outputs - inputs) / 2;
    let zeros = |channels| Tensor::zeros([batch, channels, height, width], &x.device());
    let parts = [(before, None), (inputs, Some(x.clone())), (outputs - inputs - before, None)];
    let parts = parts.into_iter().filter(|(channels, _)| *channels > 0);
    Tensor::cat(parts.map(|(channels, part)| part.unwrap_or_else(|| zeros(channels))).collect(), 1)
}
