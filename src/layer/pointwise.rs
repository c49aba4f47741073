//! `pointwise64`: a 1×1 convolution.

use super::{
    conv::Convolution,
    conv_norm::{ConvNorm, Window, parameters},
    init::Source,
    interface::{Layer, Module, width},
    names::Names,
};
use crate::{kernels::After, kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 1×1 convolution without bias, BatchNorm, ReLU.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pointwise {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "pointwise",
    doc: "1×1 convolution without bias, BatchNorm, ReLU: how ShuffleNets begin and mobile networks end",
    source: "RepDistiller, ShuffleNetv2.py, mobilenetv2.py",
    fields: &[width("channels that come out")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Pointwise>(fields))),
};

impl Layer for Pointwise {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Shape { channels: self.width, ..input })
    }

    fn parameters(&self, input: Shape) -> usize {
        parameters(input.channels, self.width, 1)
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let (conv, norm) = names.stem();
        let channels = [input.channels, self.width];
        let conv = ConvNorm::residual(conv, norm, channels, Window::new(1, 1), from);
        Box::new(Convolution { conv, after: After::Relu })
    }
}
