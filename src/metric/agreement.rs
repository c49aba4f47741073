//! How often a student says what its teacher says.

use super::{Better, Mean, Metric, Unit};

pub(super) static AGREEMENT: Metric = Metric {
    name: "agreement",
    title: "agreement",
    unit: Unit::Share,
    better: Better::Neither,
    doc: "share of images of which student and teacher give the same class (Stanton et al. 2021)",
    measure: |setting| {
        setting.has_teacher.then(|| {
            Mean::of(|image| {
                let same = image.teacher.map(|teacher| top(image.logits) == top(teacher));
                f64::from(u8::from(same.unwrap_or_default()))
            })
        })
    },
};

/// The class of the highest logit; of equal ones the lower.
pub(super) fn top(logits: &[f32]) -> usize {
    let better =
        |best: usize, class: usize| if logits[class] > logits[best] { class } else { best };
    (0..logits.len()).fold(0, better)
}
