//! Reading a teacher that is a file.

use super::{
    fields::Fields,
    value::{Kind, Name, Value},
};
use crate::shape::Shape;
use std::path::{Path, PathBuf};

/// A teacher in a file, as it is written.
#[derive(Clone)]
pub(super) enum RawOutside {
    /// `{ onnx = "vit.onnx", size = 224, mean = [0.5], std = [0.5] }`.
    Onnx {
        path: Name,
        size: Option<usize>,
        mean: Option<Vec<f64>>,
        std: Option<Vec<f64>>,
        labels: Option<Name>,
    },
    /// `{ logits = "logits.npy" }`.
    Logits { path: Name },
}

/// A teacher in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Outside {
    /// A network that is run once over the training images.
    Onnx {
        /// The file.
        path: PathBuf,
        /// blake3 of it and of the files beside it that hold its weights, in hex.
        digest: String,
        /// What it takes; images are scaled to it.
        input: Shape,
        /// Pixels p between 0 and 1 become (p − mean) / std, a channel at a time.
        mean: Vec<f64>,
        /// The same.
        std: Vec<f64>,
    },
    /// A row of logits per training image, in the data set's order.
    Logits {
        /// The file.
        path: PathBuf,
        /// blake3 of it, in hex.
        digest: String,
    },
}

impl Outside {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Onnx { path, .. } | Self::Logits { path, .. } => path,
        }
    }
}

impl RawOutside {
    pub fn path(&self) -> &Name {
        match self {
            Self::Onnx { path, .. } | Self::Logits { path } => path,
        }
    }
}

/// A teacher that is a table: `{ onnx = … }` or `{ logits = … }`.
pub(super) fn outside(
    node: &Name,
    value: &Value,
    fields: &mut Fields<'_, '_>,
) -> Option<RawOutside> {
    let Kind::Table(table) = &value.kind else { return None };
    let what = format!("distill.{}.teacher", node.text);
    let mut fields = Fields::new(table, &value.span, what, fields.errors);
    let [onnx, logits] = ["onnx", "logits"].map(|key| fields.take(key));
    let size = fields.take("size").and_then(|value| fields.whole(value, 1, 4096));
    let [mean, std] = ["mean", "std"].map(|key| moments(key, &mut fields));
    let labels = fields.take("labels").and_then(|value| fields.path(value));
    let images = ["size", "mean", "std", "labels"].map(|key| fields.span_of(key));
    let found = match (onnx, logits) {
        (Some(onnx), None) => {
            let size = size.map(|size| size as usize);
            fields.path(onnx).map(|path| RawOutside::Onnx { path, size, mean, std, labels })
        }
        (None, Some(logits)) => {
            for span in images.into_iter().flatten() {
                let message = "logits are read as they are: this belongs to `onnx`";
                fields.errors.push(&span, message);
            }
            fields.path(logits).map(|path| RawOutside::Logits { path })
        }
        _ => {
            let message = "a teacher in a file is one of: onnx, logits";
            fields.errors.push(&value.span, message);
            None
        }
    };
    fields.finish();
    found
}

/// A number per channel.
fn moments(key: &'static str, fields: &mut Fields<'_, '_>) -> Option<Vec<f64>> {
    let value = fields.take(key)?;
    let items = fields.array(value, "numbers, one per channel");
    let want = if key == "std" { "a deviation above 0" } else { "a number" };
    let ok = |number: f64| key != "std" || number > 0.0;
    Some(items.iter().filter_map(|item| fields.number(item, want, ok)).collect())
}
