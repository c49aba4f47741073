//! `mobilehead1280`: how MobileNetV2's images end.

use super::{
    conv_norm::{Window, parameters},
    init::Source,
    interface::{Layer, Module, width},
    mobilestem::feature,
    names::Names,
};
use crate::{kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 1×1 convolution without bias, BatchNorm, ReLU6.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct MobileHead {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "mobilehead",
    doc: "1×1 convolution without bias, BatchNorm, ReLU6: what MobileNetV2 ends with before its mean",
    source: "Sandler et al. 2018, table 2; torchvision",
    fields: &[width("channels that come out")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<MobileHead>(fields))),
};

impl Layer for MobileHead {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Shape { channels: self.width, ..input })
    }

    fn parameters(&self, input: Shape) -> usize {
        parameters(input.channels, self.width, 1)
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        feature([input.channels, self.width], Window::new(1, 1), names, from)
    }
}
