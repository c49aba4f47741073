//! Mean entropy of the softened softmax.

use super::{Better, Mean, Metric, Unit, softmax};

pub(super) static SHARPNESS: Metric = Metric {
    name: "entropy_at_temperature",
    title: "entropy at τ",
    unit: Unit::Nats,
    better: Better::Neither,
    doc: "mean entropy of softmax(logits/τ): the sharpness factor of Mirzadeh et al. 2020",
    measure: |setting| {
        Some(Mean::of(move |image| {
            softmax::entropy(&softmax::log_softmax(image.logits, setting.temperature))
        }))
    },
};
