//! How wrong classes vary among themselves.

use super::{Better, Mean, Metric, Unit, wrong::Wrong};

pub(super) static INHERENT_VARIANCE: Metric = Metric {
    name: "inherent_variance",
    title: "inherent variance",
    unit: Unit::Number,
    better: Better::Neither,
    doc: "mean over images of the variance of the softmax over the wrong classes alone (Li et al. 2022)",
    measure: |setting| {
        let says = setting.softness && setting.classes >= 3;
        says.then(|| Mean::of(|image| Wrong::of(image).inherent))
    },
};
