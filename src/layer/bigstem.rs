//! `bigstem64`: how ImageNet ResNets begin.

use super::{
    conv_norm::{ConvNorm, Window, parameters},
    init::Source,
    interface::{Family, Layer, Module, width},
    names::Names,
    operations::{Activation, Pass},
    residual::output,
    stem::first,
};
use crate::{
    kernels::After,
    kind::Kind,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 7×7 convolution with stride 2 and padding 3, BatchNorm, ReLU, then a 3×3 max-pool with stride 2 and
/// padding 1.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct BigStem {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "bigstem",
    doc: "7×7 convolution with stride 2, BatchNorm, ReLU, 3×3 max-pool with stride 2: how ImageNet ResNets \
          begin",
    source: "He et al. 2016, table 1",
    fields: &[width("channels that come out")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<BigStem>(fields))),
};

impl Layer for BigStem {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(output(input, self.width, 4))
    }

    fn parameters(&self, input: Shape) -> usize {
        parameters(input.channels, self.width, 7)
    }

    fn held(&self, input: Shape) -> usize {
        // Before and after BatchNorm, and where each pool has its greatest.
        input.size() + 3 * output(input, self.width, 2).size()
    }

    fn family(&self) -> Family {
        Family::Stem
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let window = Window::new(7, 2);
        Box::new(Pooled(first(input, self.width, window, names, from)))
    }
}

#[derive(Clone)]
struct Pooled(ConvNorm);

impl Module for Pooled {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = self.0.forward(x.images(), None, After::Relu, pass.mode);
        Activation::Images(x.max_pool(3, 2, 1))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let x = self.0.draw(graph, x);
        let x = graph.relu(&x);
        Ok(graph.max_pool(&x, 3, 2, 1))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.0.visit(visitor);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
