//! Cross entropy at the fitted temperature.

use super::{Better, Known, Metric, Unit};

pub(super) static FITTED_LOSS: Metric = Metric {
    name: "fitted_loss",
    title: "loss at fitted τ",
    unit: Unit::Nats,
    better: Better::Lower,
    doc: "mean cross entropy with the labels at the fitted temperature (Guo et al. 2017)",
    measure: |setting| setting.fit.map(|fit| Known::of(fit.loss)),
};
