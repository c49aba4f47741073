//! `maxpool`: a 2×2 max-pool.

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

/// 2×2 max-pool with stride 2; an odd last row or column is dropped.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct MaxPool {}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "maxpool",
    doc: "2×2 max-pool with stride 2; an odd last row or column is dropped",
    source: "torch.nn.MaxPool2d(2)",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<MaxPool>(fields))),
};

impl Layer for MaxPool {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        let Shape { channels, height, width } = input;
        if height < 2 || width < 2 {
            return Err(format!("would shrink a {height}×{width} image below 1×1"));
        }
        Ok(Shape { channels, height: height / 2, width: width / 2 })
    }

    fn parameters(&self, _: Shape) -> usize {
        0
    }

    fn held(&self, _: Shape) -> usize {
        // The convolution before it does its work, and keeps what it needs.
        0
    }

    fn init(&self, _: Shape, _: bool, names: &mut Names, _: Source<'_>) -> Box<dyn Module> {
        names.pool();
        Box::new(*self)
    }

    fn joins(&self, previous: &mut dyn Module, names: &mut Names) -> bool {
        let joins = previous.takes_pool();
        if joins {
            names.pool();
        }
        joins
    }
}

impl Module for MaxPool {
    fn forward(&mut self, x: Activation, _: Pass) -> Activation {
        Activation::Images(x.images().max_pool(2, 2, 0))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        Ok(graph.max_pool(x, 2, 2, 0))
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(*self)
    }
}
