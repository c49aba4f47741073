//! A network as a list of layers, in the paper's notation, with the shapes that it needs.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Height, width and channels of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// One layer of a plain network, written `conv16`, `maxpool` or `fc10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Layer {
    /// 3×3 convolution with padding 1, then BatchNorm and ReLU; the number of output channels.
    Conv(usize),
    /// 2×2 max-pool with stride 2; an odd last row or column is dropped.
    MaxPool,
    /// Fully connected; the number of outputs. ReLU follows every one but the last.
    Fc(usize),
}

/// A layer's text that is none of the known forms.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no layer: write conv16, maxpool or fc10")]
pub struct LayerError(String);

/// Widest layer that is accepted; the ImageNet ResNets stop at 2,048.
const WIDEST: usize = 1 << 16;

impl FromStr for Layer {
    type Err = LayerError;

    fn from_str(text: &str) -> Result<Self, LayerError> {
        let width = |digits: &str| {
            let plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|width| plain && (1..=WIDEST).contains(width))
        };
        if text == "maxpool" {
            return Ok(Self::MaxPool);
        }
        let conv = text.strip_prefix("conv").and_then(width).map(Self::Conv);
        conv.or_else(|| text.strip_prefix("fc").and_then(width).map(Self::Fc))
            .ok_or_else(|| LayerError(text.to_owned()))
    }
}

impl TryFrom<String> for Layer {
    type Error = LayerError;

    fn try_from(text: String) -> Result<Self, LayerError> {
        text.parse()
    }
}

impl From<Layer> for String {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::Conv(width) => format!("conv{width}"),
            Layer::MaxPool => "maxpool".to_owned(),
            Layer::Fc(width) => format!("fc{width}"),
        }
    }
}

/// A network whose layers fit its input and its class count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    layers: Vec<Layer>,
    input: Shape,
    classes: usize,
}

/// Why a list of layers is no network for the given data.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// No layers at all.
    #[error("a network needs at least one layer")]
    Empty,
    /// A max-pool met an image of one row or column.
    #[error("layer {index} (`maxpool`) would shrink a {height}×{width} image below 1×1")]
    TooSmall {
        /// Position in the list, from 1.
        index: usize,
        /// Rows before the layer.
        height: usize,
        /// Columns before the layer.
        width: usize,
    },
    /// A convolution or pooling layer after a fully connected one.
    #[error("layer {index} (`{layer}`) follows a fully connected layer: image layers come first")]
    ImageAfterFc {
        /// Position in the list, from 1.
        index: usize,
        /// The layer's text.
        layer: String,
    },
    /// The last layer does not give one value a class.
    #[error(
        "the last layer is `{last}`, but the data has {classes} classes: end with `fc{classes}`"
    )]
    Classes {
        /// The last layer's text.
        last: String,
        /// Classes of the data.
        classes: usize,
    },
}

impl Net {
    /// Checks that `layers` take an image of shape `input` to `classes` values.
    ///
    /// # Errors
    /// [`ShapeError`] says which layer does not fit.
    pub fn new(layers: Vec<Layer>, input: Shape, classes: usize) -> Result<Self, ShapeError> {
        let (mut height, mut width, mut flat) = (input.height, input.width, false);
        for (position, &layer) in layers.iter().enumerate() {
            let index = position + 1;
            match layer {
                Layer::Fc(_) => flat = true,
                _ if flat => {
                    return Err(ShapeError::ImageAfterFc { index, layer: layer.into() });
                }
                Layer::MaxPool if height < 2 || width < 2 => {
                    return Err(ShapeError::TooSmall { index, height, width });
                }
                Layer::MaxPool => (height, width) = (height / 2, width / 2),
                Layer::Conv(_) => {}
            }
        }
        match layers.last() {
            None => Err(ShapeError::Empty),
            Some(&Layer::Fc(width)) if width == classes => Ok(Self { layers, input, classes }),
            Some(&last) => Err(ShapeError::Classes { last: last.into(), classes }),
        }
    }

    /// The layers, input side first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Shape of one input image.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of trained parameters (running statistics are not counted).
    pub fn parameters(&self) -> usize {
        let (mut shape, mut total) = (self.input, 0);
        let mut features = shape.size();
        for &layer in &self.layers {
            match layer {
                // Weight and bias, then BatchNorm's scale and shift.
                Layer::Conv(width) => {
                    total += shape.channels * width * 9 + 3 * width;
                    shape.channels = width;
                }
                Layer::MaxPool => (shape.height, shape.width) = (shape.height / 2, shape.width / 2),
                Layer::Fc(width) => {
                    total += features * width + width;
                    features = width;
                    continue;
                }
            }
            features = shape.size();
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_text_goes_there_and_back() {
        for text in ["conv16", "maxpool", "fc10"] {
            assert_eq!(String::from(text.parse::<Layer>().unwrap()), text);
        }
        for text in
            ["conv", "conv0", "conv-1", "conv 16", "conv016", "fc1e3", "pool", "conv99999999999"]
        {
            assert!(text.parse::<Layer>().is_err(), "{text}");
        }
    }
}
