//! Places in a network whose activations can be set beside another network's.

use crate::shape::Shape;
use std::fmt;

/// A place in any network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tap {
    /// What a residual network's stem gives.
    Stem,
    /// The end of a stage, counted from 1: in a residual network the last block of one size, in a plain
    /// one a max-pool, or the last convolution behind them.
    Stage(usize),
    /// What the last layer is given, flat: behind an average pool one value per channel.
    Pooled,
}

impl fmt::Display for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stem => f.write_str("stem"),
            Self::Stage(stage) => write!(f, "stage {stage}"),
            Self::Pooled => f.write_str("pooled output"),
        }
    }
}

/// A tap of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// Where.
    pub tap: Tap,
    /// What is there of one image.
    pub shape: Shape,
    /// Place of the layer whose output it is.
    pub layer: usize,
}

/// The tap of a network that is at `tap`.
///
/// # Errors
/// What the network lacks, to go behind its name.
pub fn find(taps: &[Tapped], tap: Tap) -> Result<Tapped, String> {
    let found = taps.iter().copied().find(|tapped| tapped.tap == tap);
    found.ok_or_else(|| {
        let names: Vec<String> = taps.iter().map(|tapped| tapped.tap.to_string()).collect();
        match names.as_slice() {
            [] => format!("has no {tap}, nor any other place to take features from"),
            names => format!("has no {tap}: it has {}", names.join(", ")),
        }
    })
}

/// Bytes of the features at `taps`, and of the logits, of so many images.
pub fn bytes(images: usize, classes: usize, taps: &[Tapped]) -> u128 {
    let values: u128 = taps.iter().map(|tapped| tapped.shape.size() as u128).sum();
    4 * images as u128 * (values + classes as u128)
}

/// The stages of a network, in order.
pub fn stages(taps: &[Tapped]) -> impl Iterator<Item = Tapped> {
    taps.iter().copied().filter(|tapped| matches!(tapped.tap, Tap::Stage(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let none = find(&[], Tap::Stem).unwrap_err();
        assert_eq!(none, "has no stem, nor any other place to take features from");
    }
}
