//! `preact`: a residual block whose BatchNorm and ReLU come before its convolutions.

use super::{
    bare::Bare,
    conv_norm::{ConvNorm, Window},
    init::Source,
    interface::{Family, Layer, Module, STRIDE, width},
    names::Names,
    norm::Norm,
    operations::{Activation, Pass},
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

/// h = relu(bn(x)); conv(relu(bn(conv(h)))) + x, or + a 1×1 convolution of h where the shape changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct PreAct {
    width: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "preact",
    doc: "two 3×3 convolutions, each behind BatchNorm and ReLU; a 1×1 convolution as shortcut where the shape \
          changes",
    source: "Zagoruyko & Komodakis 2016, figure 1; RepDistiller, wrn.py",
    fields: &[width("channels"), STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<PreAct>(fields))),
};

impl PreAct {
    fn changes(&self, input: Shape) -> bool {
        self.stride > 1 || input.channels != self.width
    }
}

impl Layer for PreAct {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(output(input, self.width, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        let Shape { channels, .. } = input;
        let project = if self.changes(input) { channels * self.width } else { 0 };
        2 * (channels + self.width) + 9 * self.width * (channels + self.width) + project
    }

    fn held(&self, input: Shape) -> usize {
        let out = output(input, self.width, self.stride).size();
        2 * input.size() + if self.changes(input) { 3 * out } else { 2 * out }
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let Self { width, stride } = *self;
        let name = names.block(width, stride);
        let part = |part: &str| format!("{name}.{part}");
        let window = Window::new;
        let inputs = [input.channels, width];
        let first = ConvNorm::residual(part("conv1"), part("bn2"), inputs, window(3, stride), from);
        Box::new(Block {
            norm: Norm::new(part("bn1"), input.channels, from),
            first,
            last: Bare::init(part("conv2"), [width; 2], window(3, 1), from),
            project: self
                .changes(input)
                .then(|| Bare::init(part("downsample"), inputs, window(1, stride), from)),
        })
    }
}

#[derive(Clone)]
struct Block {
    norm: Norm,
    first: ConvNorm,
    last: Bare,
    project: Option<Bare>,
}

impl Module for Block {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = x.images();
        let h = self.norm.forward(x.clone(), After::Relu, pass.mode);
        let shortcut = match &self.project {
            Some(project) => project.forward(h.clone(), None),
            None => x,
        };
        let h = self.first.forward(h, None, After::Relu, pass.mode);
        Activation::Images(self.last.forward(h, Some(shortcut)))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let h = graph.norm(x, &self.norm.values());
        let h = graph.relu(&h);
        let shortcut = match &self.project {
            Some(project) => project.draw(graph, &h),
            None => x.clone(),
        };
        let h = self.first.draw(graph, &h);
        let h = graph.relu(&h);
        let h = self.last.draw(graph, &h);
        Ok(graph.add(&h, &shortcut))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.norm.visit(visitor);
        self.first.visit(visitor);
        self.last.visit(visitor);
        if let Some(project) = &mut self.project {
            project.visit(visitor);
        }
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
