//! Accuracy of the network as int8.

use super::{Better, Mean, Metric, Unit, metrics::rank};

pub(super) static INT8: Metric = Metric {
    name: "int8",
    title: "int8",
    unit: Unit::Share,
    better: Better::Higher,
    doc: "top-1 accuracy of the network with 8-bit weights and activations, as `takd export --int8` writes it",
    measure: |setting| {
        setting.has_int8.then(|| {
            Mean::of(|image| {
                let right = image.int8.is_some_and(|logits| rank(logits, image.label) == 0);
                f64::from(u8::from(right))
            })
        })
    },
};
