//! Which nodes of a pipeline are meant.

use crate::graph::{Graph, SelectError};

/// NODE arguments, as on the command line: `student`, `student@31`, globs. By default all nodes.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// These and what they need; all of them if empty.
    pub nodes: Vec<String>,
    /// Nodes that run even if the cache has them.
    pub force: Vec<String>,
}

impl Selection {
    /// These nodes.
    pub fn of<S: Into<String>>(nodes: impl IntoIterator<Item = S>) -> Self {
        Self { nodes: nodes.into_iter().map(Into::into).collect(), force: Vec::new() }
    }

    /// The tasks that are meant, the forced ones among them; and the forced ones alone.
    ///
    /// # Errors
    /// [`SelectError`] if a pattern matches no node.
    pub fn tasks(&self, graph: &Graph<'_>) -> Result<(Vec<usize>, Vec<usize>), SelectError> {
        let forced = graph.select(&self.force)?;
        let mut targets =
            if self.nodes.is_empty() { graph.unasked() } else { graph.select(&self.nodes)? };
        targets.extend(&forced);
        Ok((targets, forced))
    }
}
