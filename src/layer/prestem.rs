//! `prestem16`: how pre-activation ResNets begin.

use super::{
    bare::Bare,
    conv_norm::Window,
    init::Source,
    interface::{Family, Layer, Module, width},
    names::Names,
    operations::{Activation, Pass},
};
use crate::{
    kind::Kind,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 3×3 convolution with padding 1, without bias, BatchNorm or ReLU.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct PreStem {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "prestem",
    doc: "3×3 convolution with padding 1 alone, without bias, BatchNorm or ReLU: how pre-activation ResNets \
          begin",
    source: "Zagoruyko & Komodakis 2016, table 1; RepDistiller, wrn.py",
    fields: &[width("channels that come out")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<PreStem>(fields))),
};

impl Layer for PreStem {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Shape { channels: self.width, ..input })
    }

    fn parameters(&self, input: Shape) -> usize {
        input.channels * self.width * 9
    }

    fn family(&self) -> Family {
        Family::Stem
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let window = Window::new(3, 1);
        Box::new(Bare::init(names.bare(), [input.channels, self.width], window, from))
    }
}

impl Module for Bare {
    fn forward(&mut self, x: Activation, _: Pass) -> Activation {
        Activation::Images(Self::forward(self, x.images(), None))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        Ok(Self::draw(self, graph, x))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        Self::visit(self, visitor);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
