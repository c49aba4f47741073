//! `basic`: two 3×3 convolutions; a 1×1 convolution with BatchNorm as shortcut where the shape changes.

use super::{
    interface::{Layer, STRIDE, width},
    residual::{Block, Change},
};
use crate::kind::Kind;

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "basic",
    doc: "two 3×3 convolutions; a 1×1 convolution with BatchNorm as shortcut where the shape changes",
    source: "He et al. 2016, option B",
    fields: &[width("channels"), STRIDE],
    make: |fields| {
        let path = |width, stride| vec![(width, 3, stride), (width, 3, 1)];
        Ok(Block::of(fields, path, Change::Project))
    },
};
