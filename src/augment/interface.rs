//! What a change is to whoever reads images.

use super::shift::Shift;
use crate::{kind::Choice, rng::Stream, shape::Shape};
use std::fmt::Debug;

/// A random change of one training image.
pub trait Augment: Debug + Send + Sync {
    /// `image`, `[channels, height, width]`, changed.
    fn apply(&self, image: Vec<u8>, shape: Shape, stream: &mut Stream) -> Vec<u8>;

    /// Whether all that it does is to [shift](Self::shift) an image.
    fn shifts(&self) -> bool {
        false
    }

    /// Where it shifts an image, drawn as [`apply`](Self::apply) draws it, where that is
    /// [all](Self::shifts).
    fn shift(&self, shape: Shape, _stream: &mut Stream) -> Shift {
        Shift::none(shape)
    }

    /// Whether it takes a part of the picture as it lies in its file, at its full size: such a change
    /// comes first.
    fn cuts(&self) -> bool {
        false
    }

    /// The part of a picture of so many columns and rows that it takes, where it [cuts](Self::cuts).
    fn region(&self, width: u32, height: u32, _stream: &mut Stream) -> Region {
        Region { left: 0, top: 0, width, height }
    }
}

/// `image`, `[channels, height, width]`, after `changes` drawn from `stream`.
pub fn augment(
    image: &[u8],
    shape: Shape,
    changes: &[Choice<dyn Augment>],
    stream: &mut Stream,
) -> Vec<u8> {
    changes.iter().fold(image.to_vec(), |image, change| change.apply(image, shape, stream))
}

/// Whether `changes` do nothing but shift images.
pub fn shifts(changes: &[Choice<dyn Augment>]) -> bool {
    changes.iter().all(|change| change.shifts())
}

/// Where `changes` that [only shift](shifts) images move one, drawn from `stream` as
/// [`augment`] draws them.
pub fn shift(shape: Shape, changes: &[Choice<dyn Augment>], stream: &mut Stream) -> Shift {
    let none = Shift::none(shape);
    changes.iter().fold(none, |shift, change| shift.then(change.shift(shape, stream)))
}

/// A rectangle of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first column.
    pub left: u32,
    /// Its first row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}
