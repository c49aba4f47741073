//! Mean entropy of the softmax.

use super::{Better, Mean, Metric, Unit, softmax};

pub(super) static ENTROPY: Metric = Metric {
    name: "entropy",
    title: "entropy",
    unit: Unit::Nats,
    better: Better::Neither,
    doc: "mean entropy of softmax(logits)",
    measure: |_| Some(Mean::of(|image| softmax::entropy(image.log_p))),
};
