//! `conv16`: a 3×3 convolution with BatchNorm and ReLU.

use super::{
    conv_norm::{ConvNorm, parameters},
    init::Source,
    interface::{Layer, Module, width},
    names::Names,
    operations::{Activation, Pass},
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

/// 3×3 convolution with padding 1 and bias, BatchNorm, ReLU.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Conv {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "conv",
    doc: "3×3 convolution with padding 1 and bias, BatchNorm, ReLU",
    source: "Mirzadeh et al. 2020; plain_cnn_cifar.py",
    fields: &[width("channels that come out")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Conv>(fields))),
};

impl Layer for Conv {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Shape { channels: self.width, ..input })
    }

    fn parameters(&self, input: Shape) -> usize {
        parameters(input.channels, self.width, 3) + self.width
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let (conv, norm) = names.conv();
        Box::new(Convolution {
            conv: ConvNorm::plain(conv, norm, input.channels, self.width, from),
            after: After::Relu,
        })
    }
}

/// What follows a convolution, in a graph.
pub(super) fn drawn(after: After, graph: &mut Drawing, x: Edge) -> Edge {
    match after {
        After::Nothing => x,
        After::Relu => graph.relu(&x),
        After::Relu6 => graph.relu6(&x),
        After::Pool => {
            let x = graph.relu(&x);
            graph.max_pool(&x, 2, 2, 0)
        }
    }
}

/// A convolution with what follows it.
#[derive(Clone)]
pub(super) struct Convolution {
    pub conv: ConvNorm,
    pub after: After,
}

impl Module for Convolution {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        Activation::Images(self.conv.forward(x.images(), None, self.after, pass.mode))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let x = self.conv.draw(graph, x);
        Ok(drawn(self.after, graph, x))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.conv.visit(visitor);
    }

    fn takes_pool(&mut self) -> bool {
        let takes = self.after == After::Relu;
        self.after = After::Pool;
        takes
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
