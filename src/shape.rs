//! The shape of an image.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Most values in one image, and most parameters of a network: no machine holds as many, and all
/// sums of sizes below stay far from an overflow.
pub const LARGEST: usize = 1 << 40;
/// Images of one forward pass where nothing is learned, if they are small.
const SCORED: usize = 250;
/// Values of the images of such a pass: fewer images where they are large.
const SCORED_VALUES: usize = 10_000_000;

/// Height, width and channels of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Colour channels.
    pub channels: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// Columns, in pixels.
    pub width: usize,
}

impl Shape {
    /// Values in one image.
    pub fn size(self) -> usize {
        self.channels * self.height * self.width
    }

    /// As [`size`](Self::size), for extents that are not believed yet: `None` for nothing and above 2^40.
    pub fn believable_size(self) -> Option<usize> {
        let size = self.channels.checked_mul(self.height)?.checked_mul(self.width)?;
        (1..=LARGEST).contains(&size).then_some(size)
    }

    /// How many such images go through a network together where nothing is learned.
    pub fn together(self) -> usize {
        (SCORED_VALUES / self.size()).clamp(1, SCORED)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}
