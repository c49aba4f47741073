//! `bottleneck`: 1×1, 3×3 (with the stride, as torchvision has it) and 1×1 convolutions, to four times the width.

use super::{
    interface::{Layer, STRIDE, width},
    residual::{Block, Change},
};
use crate::kind::Kind;

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "bottleneck",
    doc: "1×1, 3×3 (with the stride, as torchvision has it) and 1×1 convolutions, to four times the width",
    source: "He et al. 2016, section 4.1; torchvision",
    fields: &[width("channels of the 3×3 convolution"), STRIDE],
    make: |fields| {
        let path = |width, stride| vec![(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)];
        Ok(Block::of(fields, path, Change::Project))
    },
};
