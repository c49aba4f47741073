//! `padbasic`: two 3×3 convolutions; every stride-th pixel with zero channels around it as shortcut where the shape changes.

use super::{
    interface::{Layer, STRIDE, width},
    residual::{Block, Change},
};
use crate::kind::Kind;

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "padbasic",
    doc: "two 3×3 convolutions; every stride-th pixel with zero channels around it as shortcut where the shape changes",
    source: "He et al. 2016, option A",
    fields: &[width("channels, no fewer than come in"), STRIDE],
    make: |fields| {
        let path = |width, stride| vec![(width, 3, stride), (width, 3, 1)];
        Ok(Block::of(fields, path, Change::Pad))
    },
};
