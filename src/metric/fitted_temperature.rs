//! The temperature that fits a network's logits to the labels.

use super::{Better, Known, Metric, Unit};

pub(super) static FITTED_TEMPERATURE: Metric = Metric {
    name: "fitted_temperature",
    title: "fitted τ",
    unit: Unit::Number,
    better: Better::Neither,
    doc: "the temperature that minimises the cross entropy (Guo et al. 2017); above 1 of an overconfident network",
    measure: |setting| setting.fit.map(|fit| Known::of(fit.temperature)),
};
