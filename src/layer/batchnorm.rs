//! `batchnorm`: BatchNorm and ReLU, behind the last pre-activation block.

use super::{
    init::Source,
    interface::{Layer, Module},
    names::Names,
    norm::Norm,
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

/// BatchNorm, ReLU.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct BatchNorm {}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "batchnorm",
    doc: "BatchNorm and ReLU: what follows the last pre-activation block",
    source: "He et al. 2016, \"Identity Mappings in Deep Residual Networks\", appendix",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<BatchNorm>(fields))),
};

impl Layer for BatchNorm {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(input)
    }

    fn parameters(&self, input: Shape) -> usize {
        2 * input.channels
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        Box::new(Norm::new(names.norm(), input.channels, from))
    }
}

impl Module for Norm {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        Activation::Images(Self::forward(self, x.images(), After::Relu, pass.mode))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let x = graph.norm(x, &self.values());
        Ok(graph.relu(&x))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        Self::visit(self, visitor);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
