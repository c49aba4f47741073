//! How far an image's logits lie apart.

use super::{Better, Mean, Metric, Unit};

pub(super) static LOGIT_STD: Metric = Metric {
    name: "logit_std",
    title: "logit std",
    unit: Unit::Number,
    better: Better::Neither,
    doc: "mean over images of the sample standard deviation of the logits (what Sun et al. 2024 divide by)",
    measure: |setting| {
        let says = setting.softness && setting.classes >= 2;
        says.then(|| Mean::of(|image| deviation(image.logits)))
    },
};

fn deviation(logits: &[f32]) -> f64 {
    let count = logits.len() as f64;
    let mean = logits.iter().copied().map(f64::from).sum::<f64>() / count;
    let squares = logits.iter().map(|&logit| (f64::from(logit) - mean).powi(2)).sum::<f64>();
    (squares / (count - 1.0)).sqrt()
}
