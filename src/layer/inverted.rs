//! `inverted`: MobileNetV2's block, under torchvision's names.

use super::{
    conv_norm::ConvNorm,
    init::Source,
    interface::{EXPAND, Family, Layer, Module, STRIDE, width},
    names::Names,
    operations::{Activation, Pass},
    path::{self, Path, Step},
    residual::output,
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

/// An inverted residual: few channels are expanded, convolved each by itself, and brought to few again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Inverted {
    width: usize,
    expand: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "inverted",
    doc: "1×1 convolution to 6 times (`x4`: 4 times) the channels, unless it is `x1`, depthwise 3×3, 1×1 without \
          a ReLU; ReLU6 between; what comes in is added where the shape is the same",
    source: "Sandler et al. 2018, table 1; torchvision",
    fields: &[width("channels that come out"), EXPAND, STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Inverted>(fields))),
};

impl Inverted {
    /// The block's convolutions, with `after` between them; the first may be left out where it expands
    /// nothing.
    pub fn steps(&self, input: Shape, after: After, always: bool) -> Vec<Step> {
        let wide = input.channels * self.expand;
        let expand =
            (always || self.expand > 1).then(|| Step::pointwise([input.channels, wide], 1, after));
        let rest = [
            Step::depthwise(wide, self.stride, after),
            Step::pointwise([wide, self.width], 1, After::Nothing),
        ];
        expand.into_iter().chain(rest).collect()
    }

    /// Whether what comes in is added.
    pub fn adds(&self, input: Shape) -> bool {
        self.stride == 1 && input.channels == self.width
    }

    /// The shape that comes out.
    pub fn output(&self, input: Shape) -> Shape {
        output(input, self.width, self.stride)
    }

    /// A block's name, counted by width and stride.
    pub fn name(&self, names: &mut Names) -> String {
        names.block(self.width, self.stride)
    }
}

impl Layer for Inverted {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Self::output(self, input))
    }

    fn parameters(&self, input: Shape) -> usize {
        path::parameters(&self.steps(input, After::Relu6, false))
    }

    fn multiply_adds(&self, input: Shape) -> usize {
        path::multiply_adds(&self.steps(input, After::Relu6, false), input)
    }

    fn held(&self, input: Shape) -> usize {
        path::held(&self.steps(input, After::Relu6, false), input)
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let name = names.feature();
        let steps = self.steps(input, After::Relu6, false);
        let last = steps.len() - 1;
        // The last convolution and its BatchNorm are stages of the sequence themselves.
        let of = |index: usize| match index == last {
            true => (format!("{name}.conv.{index}"), format!("{name}.conv.{}", index + 1)),
            false => (format!("{name}.conv.{index}.0"), format!("{name}.conv.{index}.1")),
        };
        let path = Path::init(&steps, of, ConvNorm::residual, from);
        Box::new(Block { path, adds: self.adds(input) })
    }
}

/// A path, to whose end what comes in may be added.
#[derive(Clone)]
pub(super) struct Block {
    pub path: Path,
    pub adds: bool,
}

impl Module for Block {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = x.images();
        let shortcut = self.adds.then(|| x.clone());
        Activation::Images(self.path.forward(x, shortcut, pass.mode))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        Ok(self.path.draw(graph, x, self.adds.then_some(x)))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.path.visit(visitor);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
