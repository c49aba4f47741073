//! Cross entropy.

use super::{Better, Mean, Metric, Unit};

pub(super) static LOSS: Metric = Metric {
    name: "loss",
    title: "loss",
    unit: Unit::Nats,
    better: Better::Lower,
    doc: "mean cross entropy with the labels",
    measure: |_| Some(Mean::of(|image| -image.log_p[image.label])),
};
