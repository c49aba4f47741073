//! `mobilestem32`: how MobileNetV2 begins.

use super::{
    conv::Convolution,
    conv_norm::{ConvNorm, Window, parameters},
    init::Source,
    interface::{Family, Layer, Module, width},
    names::Names,
    residual::output,
};
use crate::{kernels::After, kind::Kind, shape::Shape};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 3×3 convolution with stride 2 and no bias, BatchNorm, ReLU6.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct MobileStem {
    width: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "mobilestem",
    doc: "3×3 convolution with stride 2 and no bias, BatchNorm, ReLU6: how MobileNetV2 begins",
    source: "Sandler et al. 2018, table 2; torchvision",
    fields: &[width("channels that come out")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<MobileStem>(fields))),
};

impl Layer for MobileStem {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(output(input, self.width, 2))
    }

    fn parameters(&self, input: Shape) -> usize {
        parameters(input.channels, self.width, 3)
    }

    fn family(&self) -> Family {
        Family::Stem
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        feature([input.channels, self.width], Window::new(3, 2), names, from)
    }
}

/// A convolution with BatchNorm and ReLU6 as a stage of its own.
pub(super) fn feature(
    channels: [usize; 2],
    window: Window,
    names: &mut Names,
    from: Source<'_>,
) -> Box<dyn Module> {
    let name = names.feature();
    let (conv, norm) = (format!("{name}.0"), format!("{name}.1"));
    let conv = ConvNorm::residual(conv, norm, channels, window, from);
    Box::new(Convolution { conv, after: After::Relu6 })
}
