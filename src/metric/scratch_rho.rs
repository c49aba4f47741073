//! How alike a network and the student from scratch order the classes.

use super::{Better, Mean, Metric, Unit, softmax::log_softmax};

pub(super) static SCRATCH_RHO: Metric = Metric {
    name: "scratch_rho",
    title: "ρ with scratch",
    unit: Unit::Number,
    better: Better::Neither,
    doc: "mean over images of Pearson's ρ between the softmaxes of the network and of the one that it is set \
          against (DIST's relation between classes, Huang et al. 2022)",
    measure: |setting| {
        setting.has_scratch.then(|| {
            Mean::of(|image| {
                let other = image.scratch.map(|scratch| probabilities(&log_softmax(scratch, 1.0)));
                pearson(&probabilities(image.log_p), &other.unwrap_or_default())
            })
        })
    },
};

fn probabilities(log_p: &[f64]) -> Vec<f64> {
    log_p.iter().map(|&log_p| log_p.exp()).collect()
}

/// With 1e-8 in the denominator, as in DIST's code: rows without spread give 0.
fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let center = |row: &[f64]| -> Vec<f64> {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        row.iter().map(|value| value - mean).collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b) = (center(a), center(b));
    dot(&a, &b) / ((dot(&a, &a) * dot(&b, &b)).sqrt() + 1e-8)
}
