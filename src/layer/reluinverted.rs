//! `reluinverted`: MobileNetV2's block as the networks for small images have it.

use super::{
    conv_norm::ConvNorm,
    init::Source,
    interface::{EXPAND, Family, Layer, Module, STRIDE, width},
    inverted::{Block, Inverted},
    names::Names,
    path::{self, Path},
};
use crate::{kernels::After, kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An inverted residual that always expands, if only by 1, with ReLU between its convolutions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ReluInverted(Inverted);

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "reluinverted",
    doc: "as `inverted`, but with ReLU for ReLU6, and with the first convolution even if it is `x1`",
    source: "RepDistiller, mobilenetv2.py",
    fields: &[width("channels that come out"), EXPAND, STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<ReluInverted>(fields))),
};

impl Layer for ReluInverted {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(self.0.output(input))
    }

    fn parameters(&self, input: Shape) -> usize {
        path::parameters(&self.0.steps(input, After::Relu, true))
    }

    fn multiply_adds(&self, input: Shape) -> usize {
        path::multiply_adds(&self.0.steps(input, After::Relu, true), input)
    }

    fn held(&self, input: Shape) -> usize {
        path::held(&self.0.steps(input, After::Relu, true), input)
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let name = self.0.name(names);
        let of = |index| (format!("{name}.conv{}", index + 1), format!("{name}.bn{}", index + 1));
        let steps = self.0.steps(input, After::Relu, true);
        let path = Path::init(&steps, of, ConvNorm::residual, from);
        Box::new(Block { path, adds: self.0.adds(input) })
    }
}
