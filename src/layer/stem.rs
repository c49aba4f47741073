//! `stem16`: how CIFAR ResNets begin.

use super::{
    conv::Convolution,
    conv_norm::{ConvNorm, Window, parameters},
    init::Source,
    interface::{Family, Layer, Module, STRIDE, width},
    names::Names,
    residual::output,
};
use crate::{kernels::After, kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 3×3 convolution with padding 1 and no bias, BatchNorm, ReLU.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Stem {
    width: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "stem",
    doc: "3×3 convolution with padding 1 and no bias, BatchNorm, ReLU: how CIFAR ResNets begin",
    source: "He et al. 2016, section 4.2",
    fields: &[width("channels that come out"), STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Stem>(fields))),
};

impl Layer for Stem {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(output(input, self.width, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        parameters(input.channels, self.width, 3)
    }

    fn family(&self) -> Family {
        Family::Stem
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let window = Window::new(3, self.stride);
        Box::new(Convolution {
            conv: first(input, self.width, window, names, from),
            after: After::Relu,
        })
    }
}

/// The first convolution of a ResNet.
pub(super) fn first(
    input: Shape,
    width: usize,
    window: Window,
    names: &mut Names,
    from: Source<'_>,
) -> ConvNorm {
    let (conv, norm) = names.stem();
    ConvNorm::residual(conv, norm, [input.channels, width], window, from)
}
