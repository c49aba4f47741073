//! Layers as text, in the paper's notation and a little more.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// One layer of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Layer {
    /// `conv16`: 3×3 convolution with padding 1 and bias, BatchNorm, ReLU; the output channels.
    Conv(usize),
    /// `maxpool`: 2×2 max-pool with stride 2; an odd last row or column is dropped.
    MaxPool,
    /// `fc10`: fully connected; the outputs. ReLU follows every one but the last.
    Fc(usize),
    /// `stem16`: 3×3 convolution with padding 1 and no bias, BatchNorm, ReLU. How CIFAR ResNets
    /// begin (He et al. 2016, section 4.2).
    Stem(usize),
    /// `bigstem64`: 7×7 convolution with stride 2 and padding 3, BatchNorm, ReLU, then a 3×3
    /// max-pool with stride 2 and padding 1. How ImageNet ResNets begin (He et al. 2016, table 1).
    BigStem(usize),
    /// `basic32/2` and its kin: a residual block.
    Block(Block),
    /// `avgpool`: the mean over all rows and columns.
    AvgPool,
}

/// A residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which convolutions.
    pub kind: BlockKind,
    /// Channels of its 3×3 convolutions.
    pub width: usize,
    /// 1, or 2 to halve rows and columns.
    pub stride: usize,
}

/// The convolutions of a residual block, and its shortcut where the shape changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// `basic`: two 3×3; a 1×1 convolution with BatchNorm as shortcut (He et al. 2016, option B).
    Basic,
    /// `padbasic`: two 3×3; every stride-th pixel with zero channels around it (option A).
    PadBasic,
    /// `bottleneck`: 1×1, 3×3 (with the stride, as torchvision has it), 1×1 to four times the width.
    Bottleneck,
}

impl Block {
    /// Channels that come out.
    pub fn outputs(self) -> usize {
        match self.kind {
            BlockKind::Basic | BlockKind::PadBasic => self.width,
            BlockKind::Bottleneck => 4 * self.width,
        }
    }
}

/// A layer's text that is none of the known forms.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no layer: write conv16, maxpool, fc10, stem16, bigstem64, basic16, basic32/2, \
     padbasic32/2, bottleneck64 or avgpool"
)]
pub struct LayerError(String);

/// Widest layer that is accepted; the ImageNet ResNets stop at 2,048.
const WIDEST: usize = 1 << 16;

fn width(digits: &str) -> Option<usize> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|width| plain && (1..=WIDEST).contains(width))
}

fn block(text: &str) -> Option<Layer> {
    let (text, stride) = text.strip_suffix("/2").map_or((text, 1), |text| (text, 2));
    let kinds = [
        ("basic", BlockKind::Basic),
        ("padbasic", BlockKind::PadBasic),
        ("bottleneck", BlockKind::Bottleneck),
    ];
    kinds.into_iter().find_map(|(word, kind)| {
        let width = width(text.strip_prefix(word)?)?;
        Some(Layer::Block(Block { kind, width, stride }))
    })
}

impl Layer {
    /// Whether there is a BatchNorm in it.
    pub fn normalises(self) -> bool {
        match self {
            Self::Conv(_) | Self::Stem(_) | Self::BigStem(_) | Self::Block(_) => true,
            Self::MaxPool | Self::AvgPool | Self::Fc(_) => false,
        }
    }
}

impl FromStr for Layer {
    type Err = LayerError;

    fn from_str(text: &str) -> Result<Self, LayerError> {
        match text {
            "maxpool" => return Ok(Self::MaxPool),
            "avgpool" => return Ok(Self::AvgPool),
            _ => {}
        }
        let wide = |word| text.strip_prefix(word).and_then(width);
        let layer = None
            .or_else(|| wide("conv").map(Self::Conv))
            .or_else(|| wide("fc").map(Self::Fc))
            .or_else(|| wide("stem").map(Self::Stem))
            .or_else(|| wide("bigstem").map(Self::BigStem))
            .or_else(|| block(text));
        layer.ok_or_else(|| LayerError(text.to_owned()))
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
            Layer::Stem(width) => format!("stem{width}"),
            Layer::BigStem(width) => format!("bigstem{width}"),
            Layer::AvgPool => "avgpool".to_owned(),
            Layer::Block(Block { kind, width, stride }) => {
                let word = match kind {
                    BlockKind::Basic => "basic",
                    BlockKind::PadBasic => "padbasic",
                    BlockKind::Bottleneck => "bottleneck",
                };
                format!("{word}{width}{}", if stride == 2 { "/2" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_text_goes_there_and_back() {
        let texts = [
            "conv16",
            "maxpool",
            "fc10",
            "stem16",
            "bigstem64",
            "basic16",
            "basic32/2",
            "padbasic32/2",
            "bottleneck128/2",
            "avgpool",
        ];
        for text in texts {
            assert_eq!(String::from(text.parse::<Layer>().unwrap()), text);
        }
        let wrong = [
            "conv",
            "conv0",
            "conv-1",
            "conv 16",
            "conv016",
            "fc1e3",
            "pool",
            "conv99999999999",
            "basic/2",
            "basic16/3",
            "conv16/2",
        ];
        for text in wrong {
            assert!(text.parse::<Layer>().is_err(), "{text}");
        }
    }
}
