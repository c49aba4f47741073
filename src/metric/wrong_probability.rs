//! The mean probability of a wrong class.

use super::{Better, Mean, Metric, Unit, wrong::Wrong};

pub(super) static WRONG_PROBABILITY: Metric = Metric {
    name: "wrong_probability",
    title: "wrong-class probability",
    unit: Unit::Share,
    better: Better::Neither,
    doc: "mean over images of the mean probability of a wrong class: the derived average of Li et al. 2022",
    measure: |setting| {
        let says = setting.softness && setting.classes >= 2;
        says.then(|| Mean::of(|image| Wrong::of(image).mean))
    },
};
