//! `avgpool`: the mean over all rows and columns.

use super::{
    init::Source,
    interface::{Layer, Module},
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

/// The mean over all rows and columns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct AvgPool {}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "avgpool",
    doc: "the mean over all rows and columns",
    source: "torch.nn.AdaptiveAvgPool2d(1)",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<AvgPool>(fields))),
};

impl Layer for AvgPool {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Shape { height: 1, width: 1, ..input })
    }

    fn parameters(&self, _: Shape) -> usize {
        0
    }

    fn held(&self, _: Shape) -> usize {
        // Each pixel gets the same.
        0
    }

    fn init(&self, _: Shape, _: bool, _: &mut Names, _: Source<'_>) -> Box<dyn Module> {
        Box::new(*self)
    }
}

impl Module for AvgPool {
    fn forward(&mut self, x: Activation, _: Pass) -> Activation {
        Activation::Images(x.images().mean())
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        Ok(graph.mean(x))
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(*self)
    }
}
