//! `padbasic`: two 3×3 convolutions; every stride-th pixel with zero channels around it as shortcut where the shape changes.

use super::{
    init::Source,
    interface::{Family, Layer, Module, STRIDE, width},
    names::Names,
    residual::{Change, Conv, Residual, count, output},
};
use crate::{kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Two 3×3 convolutions; every stride-th pixel with zero channels around it as shortcut where the shape changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct PadBasic {
    width: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "padbasic",
    doc: "two 3×3 convolutions; every stride-th pixel with zero channels around it as shortcut where the shape changes",
    source: "He et al. 2016, option A",
    fields: &[width("channels, no fewer than come in"), STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<PadBasic>(fields))),
};

impl PadBasic {
    fn path(self) -> Vec<Conv> {
        let Self { width, stride } = self;
        vec![(width, 3, stride), (width, 3, 1)]
    }
}

impl Layer for PadBasic {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        if self.width < input.channels {
            return Err(format!("has fewer channels than the {} that come in", input.channels));
        }
        Ok(output(input, self.width, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        count(&self.path(), Change::Pad, input.channels)
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let name = names.block(self.width, self.stride);
        Residual::init(&name, &self.path(), Change::Pad, input.channels, from)
    }
}
