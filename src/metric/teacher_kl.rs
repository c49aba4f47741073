//! How far a student's probabilities are from its teacher's.

use super::{Better, Mean, Metric, Unit, softmax::log_softmax};

pub(super) static TEACHER_KL: Metric = Metric {
    name: "teacher_kl",
    title: "KL from teacher",
    unit: Unit::Nats,
    better: Better::Neither,
    doc: "mean KL(softmax(teacher) ‖ softmax(student)) (Stanton et al. 2021)",
    measure: |setting| {
        setting.has_teacher.then(|| {
            Mean::of(|image| {
                let log_p = image.teacher.map(|teacher| log_softmax(teacher, 1.0));
                let terms = log_p.unwrap_or_default().into_iter().zip(image.log_p);
                terms.map(|(log_p, log_q)| log_p.exp() * (log_p - log_q)).sum()
            })
        })
    },
};
