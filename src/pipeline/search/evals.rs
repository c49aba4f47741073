//! What scores networks for searches and choices.

use super::{
    super::{
        tables::{RawEval, RawPipeline},
        value::Name,
    },
    raw::RawScore,
};
use crate::dataset::Split;

/// The eval that scores on a split, whoever asks.
pub(in super::super) fn group(split: Split) -> &'static str {
    match split {
        Split::Train => "score.train",
        Split::Validation => "score.validation",
        Split::Test => "score.test",
    }
}

/// Has `of` measured as a score says.
pub(in super::super) fn measure(raw: &mut RawPipeline, of: Vec<Name>, score: &RawScore) {
    let known = raw.evals.iter_mut().find(|eval| eval.scores && eval.split == score.split);
    if let Some(known) = known {
        known.of.extend(of);
        return;
    }
    let name = Name { text: group(score.split).to_owned(), span: score.split_span.clone() };
    let (split, split_span) = (score.split, score.split_span.clone());
    raw.evals.push(RawEval {
        name,
        of,
        split,
        split_span,
        temperature: None,
        agreement: false,
        softness: false,
        against: None,
        scores: true,
    });
}
