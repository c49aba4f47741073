//! A network as a list of layers, with the shapes that it needs.

use super::{Block, BlockKind, Layer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most values in one image, and most parameters of a network: no machine holds as many, and all
/// sums of sizes below stay far from an overflow.
const LARGEST: usize = 1 << 40;

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

    /// What `layer` makes of it.
    pub fn after(self, layer: Layer) -> Self {
        let Self { channels, height, width } = self;
        let halved = |stride: usize, channels| Self {
            channels,
            height: height.div_ceil(stride),
            width: width.div_ceil(stride),
        };
        match layer {
            Layer::Conv(channels) | Layer::Stem(channels) => Self { channels, ..self },
            Layer::MaxPool => Self { channels, height: height / 2, width: width / 2 },
            Layer::BigStem(channels) => halved(4, channels),
            Layer::Block(block) => halved(block.stride, block.outputs()),
            Layer::AvgPool => Self { channels, height: 1, width: 1 },
            Layer::Fc(outputs) => Self { channels: outputs, height: 1, width: 1 },
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// A network whose layers fit its input and its class count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Net {
    layers: Vec<Layer>,
    input: Shape,
    classes: usize,
}

/// A network as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    layers: Vec<Layer>,
    input: Shape,
    classes: usize,
}

impl TryFrom<Unchecked> for Net {
    type Error = ShapeError;

    fn try_from(Unchecked { layers, input, classes }: Unchecked) -> Result<Self, ShapeError> {
        Self::new(layers, input, classes)
    }
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
    /// A shortcut that pads channels cannot drop any.
    #[error("layer {index} (`{layer}`) has fewer channels than the {channels} that come in")]
    Narrower {
        /// Position in the list, from 1.
        index: usize,
        /// The layer's text.
        layer: String,
        /// Channels before the layer.
        channels: usize,
    },
    /// A second stem, whose parameters would have the first one's names.
    #[error("layer {index} (`{layer}`) is a second stem: a network has one")]
    SecondStem {
        /// Position in the list, from 1.
        index: usize,
        /// The layer's text.
        layer: String,
    },
    /// Sizes that no machine holds.
    #[error("the network is too large: up to layer {index} it has more than 2^40 values")]
    TooLarge {
        /// Position in the list, from 1.
        index: usize,
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
        let (mut shape, mut flat, mut stem) = (input, false, false);
        let mut total = 0;
        for (position, &layer) in layers.iter().enumerate() {
            let (index, text) = (position + 1, || String::from(layer));
            let Shape { channels, height, width } = shape;
            match layer {
                Layer::Fc(_) => flat = true,
                _ if flat => return Err(ShapeError::ImageAfterFc { index, layer: text() }),
                Layer::MaxPool if height < 2 || width < 2 => {
                    return Err(ShapeError::TooSmall { index, height, width });
                }
                Layer::Block(Block { kind: BlockKind::PadBasic, width, .. })
                    if width < channels =>
                {
                    return Err(ShapeError::Narrower { index, layer: text(), channels });
                }
                Layer::Stem(_) | Layer::BigStem(_) if stem => {
                    return Err(ShapeError::SecondStem { index, layer: text() });
                }
                Layer::Stem(_) | Layer::BigStem(_) => stem = true,
                Layer::Conv(_) | Layer::MaxPool | Layer::Block(_) | Layer::AvgPool => {}
            }
            let before = shape.believable_size().map(|_| parameters(layer, shape));
            shape = shape.after(layer);
            total += before.unwrap_or(LARGEST + 1);
            if total > LARGEST || shape.believable_size().is_none() {
                return Err(ShapeError::TooLarge { index });
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

    /// Multiply-adds of a forward pass over one image, near enough to tell what a training will
    /// cost: biases and norms are counted as if they were weights.
    pub fn multiply_adds(&self) -> usize {
        self.sum(multiply_adds)
    }

    /// Number of trained parameters (running statistics are not counted).
    pub fn parameters(&self) -> usize {
        self.sum(parameters)
    }

    /// Sum of what `count` gives for each layer and the shape that comes in.
    fn sum(&self, count: fn(Layer, Shape) -> usize) -> usize {
        let (mut shape, mut total) = (self.input, 0);
        for &layer in &self.layers {
            total += count(layer, shape);
            shape = shape.after(layer);
        }
        total
    }
}

/// Multiply-adds of one layer for one image: each weight meets each place of what comes out.
/// (Of what a layer does before it shrinks an image, a little is left out.)
fn multiply_adds(layer: Layer, before: Shape) -> usize {
    let after = before.after(layer);
    let places = if let Layer::Fc(_) = layer { 1 } else { after.height * after.width };
    parameters(layer, before) * places
}

/// Parameters of one layer for what comes in. A BatchNorm has a scale and a shift a channel.
fn parameters(layer: Layer, before: Shape) -> usize {
    let inputs = before.channels;
    let conv_norm = |inputs, outputs, side: usize| inputs * outputs * side * side + 2 * outputs;
    match layer {
        Layer::Conv(outputs) => conv_norm(inputs, outputs, 3) + outputs,
        Layer::Stem(outputs) => conv_norm(inputs, outputs, 3),
        Layer::BigStem(outputs) => conv_norm(inputs, outputs, 7),
        Layer::MaxPool | Layer::AvgPool => 0,
        Layer::Fc(outputs) => before.size() * outputs + outputs,
        Layer::Block(block) => {
            let Block { kind, width, stride } = block;
            let outputs = block.outputs();
            let projects = kind != BlockKind::PadBasic && (stride > 1 || inputs != outputs);
            let shortcut = if projects { conv_norm(inputs, outputs, 1) } else { 0 };
            shortcut
                + match kind {
                    BlockKind::Basic | BlockKind::PadBasic => {
                        conv_norm(inputs, width, 3) + conv_norm(width, width, 3)
                    }
                    BlockKind::Bottleneck => {
                        conv_norm(inputs, width, 1)
                            + conv_norm(width, width, 3)
                            + conv_norm(width, outputs, 1)
                    }
                }
        }
    }
}
