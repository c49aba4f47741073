//! What scores networks for searches and choices.

use super::{
    super::{
        tables::{RawEval, RawLearn, RawPipeline},
        value::Name,
    },
    above::Named,
    raw::RawScore,
};
use crate::dataset::Split;

/// The eval that scores on a split, whoever asks.
pub(in super::super) fn group(split: Split) -> String {
    format!("score.{}", split.name())
}

/// The images that score these nodes: those that a score names, or else those that are held out to score
/// by, if all have such, or for validation.
pub(in super::super) fn split(
    raw: &RawPipeline,
    named: &Named<'_>,
    nodes: &[&RawLearn],
    score: &RawScore,
) -> Split {
    let scoring = |node: &&RawLearn| {
        let path = named.path(node);
        let mut all = std::iter::once(*node).chain(path);
        let data = all.find_map(|node| node.data.as_ref());
        let data = data.and_then(|name| raw.data.iter().find(|(n, _)| n.text == name.text));
        data.is_some_and(|(_, data)| data.as_ref().is_some_and(|data| data.scoring > 0))
    };
    let has = !nodes.is_empty() && nodes.iter().all(scoring);
    score.split.unwrap_or(if has { Split::Scoring } else { Split::Validation })
}

/// Has `of` measured on a split, as a score says.
pub(in super::super) fn measure(
    raw: &mut RawPipeline,
    of: Vec<Name>,
    score: &RawScore,
    split: Split,
) {
    let known = raw.evals.iter_mut().find(|eval| eval.scores && eval.split == split);
    if let Some(known) = known {
        known.of.extend(of);
        return;
    }
    let name = Name { text: group(split), span: score.split_span.clone() };
    let split_span = score.split_span.clone();
    raw.evals.push(RawEval {
        name,
        of,
        split,
        split_span,
        temperature: None,
        agreement: false,
        softness: false,
        int8: false,
        against: None,
        scores: true,
    });
}
