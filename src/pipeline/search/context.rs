//! What searches and choices are read with, and what they may score by.

use super::super::{diagnostic::Diagnostics, tables::RawLearn, value::Table};
use super::raw::RawScore;
use crate::{dataset::Split, footprint::Footprint, kinds::Kinds, search::Told};

/// The preset that may score on test images, as the authors' code does.
const AS_PUBLISHED: &str = "as-published-code";

/// What a search or a choice is read with.
#[derive(Clone, Copy)]
pub(in super::super) struct Context<'a> {
    /// The tables of the file.
    pub root: &'a Table,
    pub kinds: &'a Kinds,
    pub told: &'a Told,
    pub preset: Option<&'a str>,
    /// Whether trials that are over are left out.
    pub open_only: bool,
    /// What a node's network takes of a device, infinite where something is wrong with it.
    pub footprint: &'a dyn Fn(&RawLearn, Footprint) -> f64,
}

impl Context<'_> {
    /// Whether it is done as the authors' code does it.
    pub fn is_as_published(self) -> bool {
        self.preset == Some(AS_PUBLISHED)
    }

    /// Refuses to score on the test images where that is not asked for; `what` is `a search`, or `a choice`.
    pub fn may_score(self, score: &RawScore, what: &str, errors: &mut Diagnostics) -> Option<()> {
        if score.split != Some(Split::Test) || self.is_as_published() {
            return Some(());
        }
        let message =
            format!("{what} that scores on the test images chooses by what it is judged by");
        let help = format!(
            "leave `split` out to score on held-out images; in [preset.{AS_PUBLISHED}] it may be \"test\", as in \
             the authors' code"
        );
        errors.push_help(&score.split_span, message, help);
        None
    }
}
