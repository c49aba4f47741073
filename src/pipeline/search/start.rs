//! What a search starts from: its seeds, its nodes, and whether its values may stand there.

use super::super::{
    diagnostic::Diagnostics,
    tables::{RawLearn, RawPipeline},
    value::Name,
};
use super::{above::Named, context::Context, raw::RawSearch, space::RawDimension, vary::Base};
use crate::search::{Coordinate, Point};

/// The seeds of a search: those that it names, or one that no table shows.
pub(super) fn seeds(
    raw: &RawPipeline,
    search: &RawSearch,
    context: Context<'_>,
    errors: &mut Diagnostics,
) -> Option<Vec<u64>> {
    context.may_score(&search.score, "a search", errors)?;
    let Some((seeds, span)) = &search.seeds else {
        let fresh = raw.seeds.iter().max().map_or(0, |seed| seed.saturating_add(1));
        return Some(vec![fresh]);
    };
    let shown = seeds.iter().find(|seed| raw.seeds.contains(seed));
    if let Some(seed) = shown.filter(|_| !context.is_as_published()) {
        let message = format!(
            "seed {seed} is one of the pipeline's: winners are trained again with seeds that the search has \
             not seen"
        );
        errors.push_help(span, message, "take another, or leave `seeds` out");
        return None;
    }
    Some(seeds.clone())
}

/// The node that a method starts from.
pub(super) fn base<'a>(
    raw: &RawPipeline,
    named: &Named<'a>,
    name: &Name,
    errors: &mut Diagnostics,
) -> Option<&'a RawLearn> {
    let Some(node) = named.get(&name.text) else {
        raw.report_unknown(name, errors);
        return None;
    };
    let why = match node {
        _ if node.weights.is_some() => "its weights are read from a file",
        _ if node.peers.is_some() => "it learns beside other networks",
        _ => return Some(node),
    };
    errors.push(&name.span, format!("`{}` cannot be searched: {why}", name.text));
    None
}

/// Reads the node with each value of each field by itself.
pub(super) fn check(base: &Base<'_>, dimensions: &[RawDimension], errors: &mut Diagnostics) {
    let mut point: Point = vec![Coordinate::Absent; dimensions.len()];
    for (place, dimension) in dimensions.iter().enumerate() {
        if let Some((other, indices)) = &dimension.dimension.when {
            point[*other] = Coordinate::Choice(indices[0]);
        }
        for coordinate in dimension.extremes() {
            point[place] = coordinate;
            base.at(&point, "trial", errors);
        }
        point.fill(Coordinate::Absent);
    }
}
