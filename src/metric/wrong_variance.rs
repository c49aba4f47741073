//! How the probabilities of wrong classes vary.

use super::{Better, Mean, Metric, Unit, wrong::Wrong};

pub(super) static WRONG_VARIANCE: Metric = Metric {
    name: "wrong_variance",
    title: "wrong-class variance",
    unit: Unit::Number,
    better: Better::Neither,
    doc: "mean over images of the variance of the wrong classes' probabilities: the derived variance of Li et al. 2022",
    measure: |setting| {
        let says = setting.softness && setting.classes >= 3;
        says.then(|| Mean::of(|image| Wrong::of(image).variance))
    },
};
