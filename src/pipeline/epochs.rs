//! Networks at an epoch, by the nodes that are resolved by now.

use super::{resolve::Resolver, resolved::Learn, tables::RawLearn};
use crate::recipe::{Recipe, Select};

impl Resolver<'_> {
    /// The node that a network at an epoch is of.
    pub fn whole(&self, raw: &RawLearn) -> Option<usize> {
        raw.moment.as_ref().and_then(|moment| self.index.get(&*moment.of).copied())
    }

    /// After how many epochs a training is looked at; nothing inside where its own weights are those.
    pub fn until(&mut self, raw: &RawLearn, recipe: Option<&Recipe>) -> Option<Option<usize>> {
        let Some(moment) = &raw.moment else { return Some(None) };
        let Some(recipe) = recipe else {
            let message = format!("`{}` is read from a file: it has no epochs", moment.of);
            self.errors.push(&moment.span, message);
            return None;
        };
        if raw.peers.is_some() {
            let message = format!("`{}` learns beside other networks: it is kept once", moment.of);
            self.errors.push(&moment.span, message);
            return None;
        }
        let epoch = moment.epoch.unwrap_or(recipe.epochs);
        if epoch > recipe.epochs {
            let message = format!("`{}` trains for {} epochs", moment.of, recipe.epochs);
            self.errors.push(&moment.span, message);
            return None;
        }
        let own = epoch == recipe.epochs && recipe.select == Select::Last;
        Some((!own).then_some(epoch))
    }

    /// Tells each training at which epochs it is wanted.
    pub fn link_moments(&self, learns: &mut [Option<Learn>]) {
        for index in 0..learns.len() {
            let epoch = learns[index].as_ref().and_then(|learn| learn.until);
            let whole =
                self.whole(&self.raw.learns[index]).and_then(|whole| learns[whole].as_mut());
            if let (Some(epoch), Some(whole)) = (epoch, whole) {
                whole.moments.push(epoch);
            }
        }
    }
}
