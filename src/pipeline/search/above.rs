//! Nodes by name, before names are resolved: who teaches whom.

use super::super::{
    hyper::RawRecipe,
    tables::{RawLearn, RawPipeline},
    value::Name,
};
use std::collections::HashMap;

/// Train and distill nodes by name.
pub(in super::super) struct Named<'a>(HashMap<&'a str, &'a RawLearn>);

impl<'a> Named<'a> {
    pub fn new(raw: &'a RawPipeline) -> Self {
        Self(raw.learns.iter().map(|node| (&*node.name.text, node)).collect())
    }

    pub fn get(&self, name: &str) -> Option<&'a RawLearn> {
        self.0.get(name).copied()
    }

    /// A node's first teachers, the nearest first.
    pub fn path(&self, node: &'a RawLearn) -> Vec<&'a RawLearn> {
        let mut found: Vec<&RawLearn> = Vec::new();
        let mut at = node;
        let first =
            |node: &RawLearn| node.teacher.as_ref()?.names.first().and_then(|n| self.get(&n.text));
        while let Some(teacher) = first(at) {
            // Circles are reported where names are resolved.
            if found.iter().any(|known| known.name.text == teacher.name.text) {
                break;
            }
            found.push(teacher);
            at = teacher;
        }
        found
    }

    /// Those of them that were taught themselves: its assistants, all but the first teacher of all.
    pub fn assistants(&self, node: &'a RawLearn) -> Vec<&'a RawLearn> {
        let mut path = self.path(node);
        path.pop();
        path
    }

    /// All that a node learns from, whether near or far, each once.
    pub fn above(&self, node: &'a RawLearn) -> Vec<&'a RawLearn> {
        let mut found: Vec<&RawLearn> = Vec::new();
        let mut open = vec![node];
        while let Some(at) = open.pop() {
            for name in at.teacher.iter().flat_map(|teacher| &teacher.names) {
                let known = |known: &&RawLearn| known.name.text == name.text;
                if let Some(teacher) = self.get(&name.text).filter(|_| !found.iter().any(known)) {
                    found.push(teacher);
                    open.push(teacher);
                }
            }
        }
        found
    }
}

impl RawPipeline {
    /// The name of the recipe of a node: its own, or the one that it shares with its teacher.
    pub fn recipe_name<'a>(&'a self, node: &'a RawLearn) -> Option<&'a Name> {
        let mut at = node;
        // No chain is longer than there are nodes.
        for _ in 0..=self.learns.len() {
            if at.recipe.is_some() {
                return at.recipe.as_ref();
            }
            let teacher = at.teacher.as_ref()?;
            let first = &teacher.names.first()?.text;
            at = self.learns.iter().find(|node| node.name.text == *first)?;
        }
        None
    }

    /// The recipe of a node, if nothing is wrong with it.
    pub fn recipe_of(&self, node: &RawLearn) -> Option<&RawRecipe> {
        let name = self.recipe_name(node)?;
        let (_, recipe) = self.recipes.iter().find(|(known, _)| known.text == name.text)?;
        recipe.as_ref()
    }
}
