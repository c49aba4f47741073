//! `bottleneck`: 1×1, 3×3 (with the stride, as torchvision has it) and 1×1 convolutions, to four times the width.

use super::{
    init::Source,
    interface::{Family, Layer, Module, STRIDE, width},
    names::Names,
    residual::{Change, Conv, Residual, count, output},
};
use crate::{kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 1×1, 3×3 (with the stride, as torchvision has it) and 1×1 convolutions, to four times the width.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bottleneck {
    width: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "bottleneck",
    doc: "1×1, 3×3 (with the stride, as torchvision has it) and 1×1 convolutions, to four times the width",
    source: "He et al. 2016, section 4.1; torchvision",
    fields: &[width("channels of the 3×3 convolution"), STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Bottleneck>(fields))),
};

impl Bottleneck {
    fn path(self) -> Vec<Conv> {
        let Self { width, stride } = self;
        vec![(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
    }
}

impl Layer for Bottleneck {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(output(input, 4 * self.width, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        count(&self.path(), Change::Project, input.channels)
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let name = names.block(self.width, self.stride);
        Residual::init(&name, &self.path(), Change::Project, input.channels, from)
    }
}
