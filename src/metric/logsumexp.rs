//! Logarithm of the softmax's denominator.

use super::{Better, Mean, Metric, Unit};

pub(super) static LOGSUMEXP: Metric = Metric {
    name: "logsumexp",
    title: "logsumexp",
    unit: Unit::Nats,
    better: Better::Neither,
    doc: "mean over images of log Σ exp(logits): the negative energy of Liu et al. 2020",
    measure: |setting| {
        setting.softness.then(|| {
            // A logit is its log-probability and this.
            Mean::of(|image| f64::from(image.logits[image.label]) - image.log_p[image.label])
        })
    },
};
