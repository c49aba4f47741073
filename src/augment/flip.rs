//! Mirrored left to right, half of the time.

use super::{Shift, interface::Augment};
use crate::{
    kind::{Choice, Kind},
    rng::Stream,
    shape::Shape,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Mirrored left to right, half of the time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Flip {}

pub(super) const KIND: Kind<dyn Augment> = Kind {
    name: "flip",
    doc: "mirrored left to right, half of the time",
    source: "He et al. 2016, section 4.2",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Augment>::read::<Flip>(fields))),
};

impl From<Flip> for Choice<dyn Augment> {
    fn from(change: Flip) -> Self {
        KIND.with(&change)
    }
}

impl Augment for Flip {
    fn apply(&self, mut image: Vec<u8>, shape: Shape, stream: &mut Stream) -> Vec<u8> {
        if is_mirrored(stream) {
            image.chunks_exact_mut(shape.width).for_each(<[u8]>::reverse);
        }
        image
    }

    fn shifts(&self) -> bool {
        true
    }

    fn shift(&self, shape: Shape, stream: &mut Stream) -> Shift {
        if is_mirrored(stream) { Shift::mirrored(shape) } else { Shift::none(shape) }
    }
}

fn is_mirrored(stream: &mut Stream) -> bool {
    stream.below(2) == 1
}
