//! How large the networks of nodes are, for choices by size, before nodes are resolved.

use super::{
    diagnostic::Diagnostics,
    resolve::{Catalogue, Resolver},
    search::Named,
    tables::{RawLearn, RawPipeline},
};
use crate::{architecture::Architecture, footprint::Footprint};
use std::{collections::HashMap, path::Path};

/// Networks by the names of net and data set.
pub(super) struct Sizes {
    known: HashMap<(String, String), Architecture>,
    /// The data set of each node, its own or its teacher's.
    data: HashMap<String, String>,
}

impl Catalogue<'_> {
    /// Of all nodes' networks; of none where no choice asks.
    pub(super) fn sizes(self, raw: &RawPipeline, folder: &Path) -> Sizes {
        let mut sizes = Sizes { known: HashMap::new(), data: HashMap::new() };
        if !raw.choices.iter().any(|choose| choose.is_by_size()) {
            return sizes;
        }
        let mut resolver = Resolver::new(folder, raw, self, Diagnostics::none());
        resolver.resolve_data();
        let named = Named::new(raw);
        for node in &raw.learns {
            let path = named.path(node);
            let data = std::iter::once(node).chain(path).find_map(|node| node.data.as_ref());
            let Some(name) = data else { continue };
            sizes.data.insert(node.name.text.clone(), name.text.clone());
            let key = (node.net.text.clone(), name.text.clone());
            if sizes.known.contains_key(&key) {
                continue;
            }
            let data = resolver.data(name);
            if let Some(net) = resolver.net(&node.net, data.as_deref()) {
                sizes.known.insert(key, net);
            }
        }
        sizes
    }
}

impl Sizes {
    /// What a node's network takes of a device, infinite where that is not known.
    pub fn of(&self, node: &RawLearn, what: Footprint) -> f64 {
        let data = self.data.get(&node.name.text).cloned().unwrap_or_default();
        let known = self.known.get(&(node.net.text.clone(), data));
        known.and_then(|net| net.footprint(what)).unwrap_or(f64::INFINITY)
    }
}
