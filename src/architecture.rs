//! A network as a list of layers, with the shapes that it needs.

mod footprint;
mod taps;

use crate::{
    kind::{Choice, Kind},
    kinds::Kinds,
    layer::{Family, LAYERS, Layer},
    shape::{LARGEST, Shape},
};
use serde_json::{Value, json};
use std::str::FromStr;

/// A layer as a pipeline has it: `conv16`, `basic32/2`.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenLayer {
    text: String,
    layer: Choice<dyn Layer>,
}

/// A layer's text that is none of the known forms.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a valid layer: write {forms}")]
pub struct LayerError {
    text: String,
    forms: String,
}

impl WrittenLayer {
    /// Reads a layer's text: the name of a kind, its width if it has one, an expansion behind an `x` and a
    /// stride behind a slash if it has such and they are not their defaults.
    ///
    /// # Errors
    /// [`LayerError`] names the forms that there are.
    pub fn read(text: &str, kinds: &[&'static Kind<dyn Layer>]) -> Result<Self, LayerError> {
        let found = kinds.iter().find_map(|kind| {
            let layer = kind.choose(&fields(kind, text)?).ok()?;
            Some(Self { text: text.to_owned(), layer })
        });
        found.ok_or_else(|| LayerError { text: text.to_owned(), forms: forms(kinds) })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The layer.
    pub fn layer(&self) -> &dyn Layer {
        &*self.layer
    }
}

impl FromStr for WrittenLayer {
    type Err = LayerError;

    /// One of the layers that are built in.
    fn from_str(text: &str) -> Result<Self, LayerError> {
        Self::read(text, LAYERS)
    }
}

/// The fields that a text gives a kind, if it is of its form.
fn fields(kind: &Kind<dyn Layer>, text: &str) -> Option<Vec<(String, Value)>> {
    let rest = text.strip_prefix(kind.name)?;
    let (width, stride) = match rest.split_once('/') {
        Some((width, stride)) => (width, Some(stride)),
        None => (rest, None),
    };
    let (width, expand) = match width.split_once('x') {
        Some((width, expand)) => (width, Some(expand)),
        None => (width, None),
    };
    let mut fields = Vec::new();
    for (name, digits) in [("width", Some(width)), ("expand", expand), ("stride", stride)] {
        let given = digits.filter(|digits| !digits.is_empty() || name != "width");
        match (kind.field(name), given) {
            (None, None) => {}
            (None, Some(_)) => return None,
            (Some(field), None) => {
                field.default?;
            }
            (Some(field), Some(digits)) => {
                let plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
                let number = digits.parse::<u64>().ok().filter(|_| plain)?;
                let crate::kind::Range::Whole { low, high } = field.range else { return None };
                // A default is not written: one layer has one text.
                let said = field.default.map(crate::kind::Scalar::json) == Some(json!(number));
                if !(low..=high).contains(&number) || said {
                    return None;
                }
                fields.push((name.to_owned(), json!(number)));
            }
        }
    }
    Some(fields)
}

/// A text of a kind: `basic16/2`.
pub fn form(kind: &Kind<dyn Layer>) -> String {
    let width = if kind.field("width").is_some() { "16" } else { "" };
    let expand = if kind.field("expand").is_some() { "x4" } else { "" };
    let stride = if kind.field("stride").is_some() { "/2" } else { "" };
    format!("{}{width}{expand}{stride}", kind.name)
}

/// One text of each form, for errors: `conv16, maxpool or basic32/2`.
fn forms(kinds: &[&'static Kind<dyn Layer>]) -> String {
    let forms: Vec<String> = kinds.iter().map(|kind| form(kind)).collect();
    match forms.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

/// A network whose layers fit its input and its class count.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    layers: Vec<WrittenLayer>,
    input: Shape,
    classes: usize,
}

/// Why a list of layers is not a network for the given data.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// No layers at all.
    #[error("a network needs at least one layer")]
    Empty,
    /// A layer that cannot take what comes in.
    #[error("layer {index} (`{layer}`) {problem}")]
    Refused {
        /// Position in the list, from 1.
        index: usize,
        /// The layer's text.
        layer: String,
        /// Why, as the end of a sentence.
        problem: String,
    },
    /// Sizes that no machine holds.
    #[error("the network is too large: up to layer {index} it has more than 2^40 values")]
    TooLarge {
        /// Position in the list, from 1.
        index: usize,
    },
    /// The last layer does not give one value per class.
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

impl Architecture {
    /// Checks that `layers` take an image of shape `input` to `classes` values.
    ///
    /// # Errors
    /// [`ShapeError`] says which layer does not fit.
    pub fn new(
        layers: Vec<WrittenLayer>,
        input: Shape,
        classes: usize,
    ) -> Result<Self, ShapeError> {
        let (mut shape, mut flat, mut stem, mut total) = (input, false, false, 0usize);
        for (index, written) in (1..).zip(&layers) {
            let layer = written.layer();
            let refuse = |problem: String| {
                let layer = written.text.clone();
                ShapeError::Refused { index, layer, problem }
            };
            match layer.family() {
                Family::FullyConnected => flat = true,
                _ if flat => {
                    let problem = "follows a fully connected layer: image layers come first";
                    return Err(refuse(problem.to_owned()));
                }
                // Its parameters would have the first one's names.
                Family::Stem if stem => {
                    return Err(refuse("is a second stem: a network has one".to_owned()));
                }
                Family::Stem => stem = true,
                Family::Any | Family::Residual => {}
            }
            let output = layer.output(shape).map_err(refuse)?;
            let count = shape.believable_size().map(|_| layer.parameters(shape));
            total = total.saturating_add(count.unwrap_or(LARGEST + 1));
            shape = output;
            if total > LARGEST || shape.believable_size().is_none() {
                return Err(ShapeError::TooLarge { index });
            }
        }
        let Some(last) = layers.last() else { return Err(ShapeError::Empty) };
        if last.layer().family() != Family::FullyConnected || shape.channels != classes {
            return Err(ShapeError::Classes { last: last.text.clone(), classes });
        }
        Ok(Self { layers, input, classes })
    }

    /// As [`new`](Self::new), from the layers' texts.
    ///
    /// # Errors
    /// A sentence: a text that is not a layer, or a layer that does not fit.
    pub fn read(
        layers: &[String],
        input: Shape,
        classes: usize,
        kinds: &Kinds,
    ) -> Result<Self, String> {
        let layers = layers.iter().map(|text| WrittenLayer::read(text, &kinds.layers));
        let layers = layers.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        Self::new(layers, input, classes).map_err(|error| error.to_string())
    }

    /// The layers, input side first.
    pub fn layers(&self) -> &[WrittenLayer] {
        &self.layers
    }

    /// The layers' texts.
    pub fn texts(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.text.clone()).collect()
    }

    /// Shape of one input image.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Whether parameters are named as torchvision's ResNets name them.
    pub fn is_residual(&self) -> bool {
        let count =
            |family| self.layers.iter().filter(|layer| layer.layer().family() == family).count();
        count(Family::FullyConnected) == 1 && count(Family::Residual) > 0
    }

    /// Each layer, and the shape that comes in.
    pub fn walk(&self) -> impl Iterator<Item = (&dyn Layer, Shape)> {
        let mut shape = self.input;
        self.layers.iter().map(move |written| {
            let (layer, input) = (written.layer(), shape);
            // `new` has gone this way.
            shape = layer.output(input).unwrap_or(input);
            (layer, input)
        })
    }

    /// Values of one image that a backward pass reads, and of the largest layer's input or output.
    pub fn activations(&self) -> (usize, usize) {
        let each = || self.walk().map(|(layer, input)| (layer, input, input.size()));
        let all: usize = each().map(|(layer, input, _)| layer.held(input)).sum();
        let largest = each().map(|(.., size)| size).max().unwrap_or(0);
        (all + self.classes, largest.max(self.classes))
    }

    /// Multiply-adds of a forward pass over one image, near enough to tell what a training will
    /// cost: biases and norms are counted as if they were weights.
    pub fn multiply_adds(&self) -> usize {
        self.walk().map(|(layer, input)| layer.multiply_adds(input)).sum()
    }

    /// Number of trained parameters (running statistics are not counted).
    pub fn parameters(&self) -> usize {
        self.walk().map(|(layer, input)| layer.parameters(input)).sum()
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
            "inverted24",
            "inverted16x1",
            "reluinverted24x3/2",
            "avgpool",
        ];
        for text in texts {
            let layer: WrittenLayer = text.parse().unwrap();
            let name = text.split(|c: char| c.is_ascii_digit()).next().unwrap();
            assert_eq!((layer.text(), layer.layer.chosen().kind.as_str()), (text, name));
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
            "conv65537",
            "basic/2",
            "basic16/3",
            "basic16/1",
            "basic16/",
            "conv16/2",
            "maxpool2",
            "inverted24x6",
            "inverted24x",
            "invertedx2",
            "inverted24/2x3",
            "basic16x2",
        ];
        for text in wrong {
            assert!(text.parse::<WrittenLayer>().is_err(), "{text}");
        }
        let error = "pool".parse::<WrittenLayer>().unwrap_err().to_string();
        assert!(
            error.contains("conv16, maxpool, fc16") && error.ends_with("or avgpool"),
            "{error}"
        );
    }
}
