//! Top-1 accuracy.

use super::{Better, Mean, Metric, Unit};

pub(super) static TOP1: Metric = Metric {
    name: "top1",
    title: "top-1",
    unit: Unit::Share,
    better: Better::Higher,
    doc: "share of images whose highest logit is the label's",
    measure: |_| Some(Mean::of(|image| f64::from(u8::from(image.rank == 0)))),
};
