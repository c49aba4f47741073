//! `fc10`: a fully connected layer.

use super::{
    init::{self, Source},
    interface::{Family, Layer, Module, width},
    names::Names,
    operations::{Activation, Pass, linear},
};
use crate::{
    kind::Kind,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::{Role, Visitor, host},
};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Fully connected, with a ReLU unless it is the last layer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Fc {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "fc",
    doc: "fully connected, with a ReLU unless it is the last layer",
    source: "torch.nn.Linear",
    fields: &[width("outputs")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Fc>(fields))),
};

impl Layer for Fc {
    fn output(&self, _: Shape) -> Result<Shape, String> {
        Ok(Shape { channels: self.width, height: 1, width: 1 })
    }

    fn parameters(&self, input: Shape) -> usize {
        input.size() * self.width + self.width
    }

    fn family(&self) -> Family {
        Family::FullyConnected
    }

    fn init(
        &self,
        input: Shape,
        last: bool,
        names: &mut Names,
        from: Source<'_>,
    ) -> Box<dyn Module> {
        let (name, inputs, outputs) = (names.fc(), input.size(), self.width);
        let weight = init::uniform(&format!("{name}.weight"), [outputs, inputs], inputs, from);
        let bias = init::uniform(&format!("{name}.bias"), [outputs], inputs, from);
        Box::new(Linear { name, weight, bias, relu: !last })
    }
}

#[derive(Clone)]
struct Linear {
    name: String,
    weight: Tensor<2>, // [out, in]
    bias: Tensor<1>,   // [out]
    relu: bool,
}

impl Module for Linear {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        Activation::Features(linear(x.features(), weight, bias, self.relu, pass))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let weight = (self.weight.dims().to_vec(), host(self.weight.clone()));
        let x = graph.linear(x, &self.name, weight, &host(self.bias.clone()));
        Ok(if self.relu { graph.relu(&x) } else { x })
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.visit(&format!("{}.weight", self.name), Role::Parameter, &mut self.weight);
        visitor.visit(&format!("{}.bias", self.name), Role::Parameter, &mut self.bias);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
