//! Top-5 accuracy.

use super::{Better, Mean, Metric, Unit};

pub(super) static TOP5: Metric = Metric {
    name: "top5",
    title: "top-5",
    unit: Unit::Share,
    better: Better::Higher,
    doc: "share of images with the label among the five highest logits; with more than five classes",
    measure: |setting| {
        // Of five classes it is always 1.
        (setting.classes > 5).then(|| Mean::of(|image| f64::from(u8::from(image.rank < 5))))
    },
};
