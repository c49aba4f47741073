//! Which entries a command is about: those that pipelines reach.

use crate::{
    console::{Given, exit::Problem},
    graph::Graph,
    key::{Key, keys},
    store::Store,
};
use std::{collections::BTreeSet, path::PathBuf};

#[derive(clap::Args)]
pub(in crate::commands) struct Reach {
    /// Pipelines whose entries are meant
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only these nodes and what they need; globs; may be repeated
    #[arg(long, value_name = "NODE")]
    node: Vec<String>,
    #[command(flatten)]
    given: Given,
}

impl Reach {
    /// The keys that the pipelines reach with what the cache tells of their searches, teachers' logits among them.
    pub fn keys(&self, store: &Store) -> Result<BTreeSet<Key>, Problem> {
        let mut reached = BTreeSet::new();
        for file in &self.files {
            let session = self.given.opening(file).session(store.clone())?;
            let graph = session.graph();
            let all = keys(&graph);
            for task in self.tasks(&graph)? {
                let (inputs, key) = &all[task];
                reached.insert(*key);
                reached.extend(inputs.teacher_logits().iter().map(|logits| logits.key()));
            }
        }
        Ok(reached)
    }

    fn tasks(&self, graph: &Graph<'_>) -> Result<Vec<usize>, Problem> {
        if self.node.is_empty() {
            return Ok((0..graph.tasks.len()).collect());
        }
        Ok(graph.dag.closure(&graph.select(&self.node)?))
    }
}
