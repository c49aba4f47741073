//! The tasks of a pipeline: its nodes, once for each seed.

use crate::{
    dag::Dag,
    pipeline::{Learn, Pipeline, Work},
};

/// A node with one of the pipeline's seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Index into the pipeline's nodes.
    pub node: usize,
    /// The seed.
    pub seed: u64,
}

/// All tasks and what each depends on.
pub struct Graph<'a> {
    /// Where the tasks come from.
    pub pipeline: &'a Pipeline,
    /// Node by node, and within a node seed by seed.
    pub tasks: Vec<Task>,
    /// Over the tasks' places.
    pub dag: Dag,
}

/// A NODE argument that means no task.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// Nothing matches.
    #[error("`{0}` matches no node; `takd plan` lists them")]
    NoMatch(String),
    /// The glob is malformed.
    #[error("`{0}` is not a valid glob pattern: {1}")]
    Pattern(String, glob::PatternError),
}

impl<'a> Graph<'a> {
    /// Repeats every node for every seed.
    pub fn new(pipeline: &'a Pipeline) -> Self {
        let seeds = pipeline.seeds.len();
        let mut tasks = Vec::with_capacity(pipeline.nodes.len() * seeds);
        let mut parents = Vec::with_capacity(tasks.capacity());
        for node in 0..pipeline.nodes.len() {
            for (index, &seed) in pipeline.seeds.iter().enumerate() {
                tasks.push(Task { node, seed });
                let above = pipeline.dag.parents(node).iter();
                parents.push(above.map(|parent| parent * seeds + index).collect());
            }
        }
        let dag = Dag::new(parents).expect("copies of an acyclic graph have no cycle");
        Self { pipeline, tasks, dag }
    }

    /// `teacher@20`: a task's name for people.
    pub fn name(&self, task: usize) -> String {
        let Task { node, seed } = self.tasks[task];
        format!("{}@{seed}", self.pipeline.nodes[node].name)
    }

    /// The training that a task is, or measures.
    pub fn learn(&self, task: usize) -> &Learn {
        match &self.pipeline.nodes[self.tasks[task].node].work {
            Work::Learn(learn) => learn,
            Work::Eval(eval) => self.pipeline.learn(eval.of),
        }
    }

    /// Places of `node`'s tasks, one a seed.
    pub fn of_node(&self, node: usize) -> std::ops::Range<usize> {
        let seeds = self.pipeline.seeds.len();
        node * seeds..(node + 1) * seeds
    }

    /// Tasks whose node's name, or own name with its seed, is matched by one of `patterns`.
    ///
    /// # Errors
    /// [`SelectError`] for a pattern that is malformed or matches nothing.
    pub fn select(&self, patterns: &[String]) -> Result<Vec<usize>, SelectError> {
        let mut chosen = vec![false; self.tasks.len()];
        for text in patterns {
            let pattern = glob::Pattern::new(text)
                .map_err(|error| SelectError::Pattern(text.clone(), error))?;
            let mut any = false;
            for (index, task) in self.tasks.iter().enumerate() {
                let node = &self.pipeline.nodes[task.node].name;
                if pattern.matches(node) || pattern.matches(&self.name(index)) {
                    (chosen[index], any) = (true, true);
                }
            }
            if !any {
                return Err(SelectError::NoMatch(text.clone()));
            }
        }
        Ok((0..chosen.len()).filter(|&index| chosen[index]).collect())
    }
}
