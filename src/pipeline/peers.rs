//! Networks that learn from one another, by the names that are resolved by now.

use super::{
    diagnostic::Span,
    resolve::Resolver,
    resolved::{How, Mutual},
    tables::{RawLearn, RawPeers},
};
use crate::{dataset::Data, recipe::Recipe};

impl Resolver<'_> {
    /// How a network is trained that has no teacher.
    pub fn trained(&mut self, raw: &RawLearn, recipe: Recipe, data: &Data) -> Option<How> {
        let Some(peers) = &raw.peers else { return Some(How::Train(recipe, raw.loss.clone())) };
        let RawPeers { nets, names, place, objective, objective_span } = peers;
        let nets: Vec<_> =
            nets.iter().map(|net| self.net(net, Some(data))).collect::<Option<_>>()?;
        let (own, of_own) = (*place, nets[*place].taps());
        let compares_logits = objective.needs(&of_own, &of_own).is_ok_and(|needs| {
            needs.pairs.is_empty() && needs.all_parameters().is_empty() && !needs.asks()
        });
        // It is told once.
        if !compares_logits && own == 0 {
            self.refuse(objective_span);
        }
        let (names, objective) = (names.clone(), objective.clone());
        Some(How::Mutual(recipe, Mutual { nets, names, place: own, objective }))
    }

    fn refuse(&mut self, span: &Span) {
        let message = "networks that learn from one another compare logits alone";
        let help = "take an objective on logits, such as `{ dml = {} }`";
        self.errors.push_help(span, message, help);
    }
}
