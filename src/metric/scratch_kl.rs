//! How far the student from scratch is from a network.

use super::{Better, Mean, Metric, Unit, softmax::log_softmax};

pub(super) static SCRATCH_KL: Metric = Metric {
    name: "scratch_kl",
    title: "KL from scratch",
    unit: Unit::Nats,
    better: Better::Neither,
    doc: "mean KL(softmax(network) ‖ softmax(the one that it is set against)): what kd at τ 1 would begin with",
    measure: |setting| {
        setting.has_scratch.then(|| {
            Mean::of(|image| {
                let log_q = image.scratch.map(|scratch| log_softmax(scratch, 1.0));
                let terms = image.log_p.iter().zip(log_q.unwrap_or_default());
                terms.map(|(log_p, log_q)| log_p.exp() * (log_p - log_q)).sum()
            })
        })
    },
};
