//! `squeezeexcite16`: each channel times what the means of all say of it.

use super::{
    init::{self, Source},
    interface::{Layer, Module, width},
    names::Names,
    operations::{Activation, Pass, linear},
};
use crate::{
    kind::Kind,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::{Role, Visitor, host},
};
use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// x · sigmoid(W₂ relu(W₁ mean(x) + b₁) + b₂) (Hu et al. 2018, equations 2 to 4), by channel.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SqueezeExcite {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "squeezeexcite",
    doc: "each channel times a factor in (0, 1), by two fully connected layers of the means of all channels; the \
          first has a 16th as many outputs",
    source: "Hu et al. 2018, equations 2 to 4",
    fields: &[width("reduction: channels for each output of the first fully connected layer")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<SqueezeExcite>(fields))),
};

impl SqueezeExcite {
    fn hidden(&self, input: Shape) -> usize {
        (input.channels / self.width).max(1)
    }
}

impl Layer for SqueezeExcite {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(input)
    }

    fn parameters(&self, input: Shape) -> usize {
        let (channels, hidden) = (input.channels, self.hidden(input));
        2 * channels * hidden + channels + hidden
    }

    /// Each weight meets one pixel, the mean; each value has one factor.
    fn multiply_adds(&self, input: Shape) -> usize {
        self.parameters(input) + input.size()
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let (name, channels, hidden) = (names.squeeze(), input.channels, self.hidden(input));
        let fc = |part: &str, inputs: usize, outputs: usize| {
            let name = format!("{name}.{part}");
            let weight = init::uniform(&format!("{name}.weight"), [outputs, inputs], inputs, from);
            let bias = init::uniform(&format!("{name}.bias"), [outputs], inputs, from);
            Fc { name, weight, bias }
        };
        Box::new(Excite([fc("fc1", channels, hidden), fc("fc2", hidden, channels)]))
    }
}

#[derive(Clone)]
struct Fc {
    name: String,
    weight: Tensor<2>, // [out, in]
    bias: Tensor<1>,   // [out]
}

#[derive(Clone)]
struct Excite([Fc; 2]);

impl Module for Excite {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = x.images();
        let means = Activation::Images(x.clone().mean()).features();
        let [first, last] = &self.0;
        let through = |x, fc: &Fc, relu| linear(x, fc.weight.clone(), fc.bias.clone(), relu, pass);
        let factors = through(through(means, first, true), last, false);
        Activation::Images(x.scale(sigmoid(factors)))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let [first, last] = self.0.each_ref().map(|Fc { name, weight, bias }| {
            (name, (weight.dims().to_vec(), host(weight.clone())), host(bias.clone()))
        });
        let means = graph.mean(x);
        let hidden = graph.linear(&means, first.0, first.1, &first.2);
        let hidden = graph.relu(&hidden);
        let factors = graph.linear(&hidden, last.0, last.1, &last.2);
        let factors = graph.sigmoid(&factors);
        Ok(graph.scale(x, &factors))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for Fc { name, weight, bias } in &mut self.0 {
            visitor.visit(&format!("{name}.weight"), Role::Parameter, weight);
            visitor.visit(&format!("{name}.bias"), Role::Parameter, bias);
        }
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
