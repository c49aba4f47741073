//! How images of any size become images of one size.

use super::defaults::fit;
use serde::{Deserialize, Serialize};

/// Images of any size become square ones: the shorter side is resized, then the centre is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Side of the square, in pixels.
    pub size: u32,
    /// What the shorter side is resized to, in pixels; not below `size`.
    pub resize: u32,
    /// Whether pictures are turned first as their Exif orientation says, as viewers do; torchvision
    /// does not.
    #[serde(default = "fit::exif::value", skip_serializing_if = "fit::exif::is")]
    pub exif: bool,
}

impl Fit {
    /// `size`, out of an upright picture resized to 8/7 of it: 256 for 224.
    pub fn around(size: u32) -> Self {
        Self { size, resize: (size * 8).div_ceil(7), exif: fit::exif::value() }
    }
}

impl Default for Fit {
    /// ImageNet's customary 224 out of 256.
    fn default() -> Self {
        Self::around(224)
    }
}
