//! The tasks of a pipeline: its nodes, once for each seed that they are wanted with.

use crate::{
    dag::Dag,
    pipeline::{Learn, Pipeline, Work, nearest},
};
use std::ops::Range;

/// A node with one of the pipeline's seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Index into the pipeline's nodes.
    pub node: usize,
    /// The seed.
    pub seed: u64,
}

/// Where a node's tasks are: those with its own seeds, then those that others need of it.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: usize,
    own: usize,
    all: usize,
}

/// All tasks and what each depends on.
pub struct Graph<'a> {
    /// Where the tasks come from.
    pub pipeline: &'a Pipeline,
    /// Node by node, and within a node seed by seed.
    pub tasks: Vec<Task>,
    /// Over the tasks' places.
    pub dag: Dag,
    /// Of each node.
    blocks: Vec<Block>,
}

/// A NODE argument that means no task.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// Nothing matches.
    #[error("`{0}` matches no node; {1}")]
    NoMatch(String, String),
    /// The glob is malformed.
    #[error("`{0}` is not a valid glob pattern: {1}")]
    Pattern(String, glob::PatternError),
}

impl<'a> Graph<'a> {
    /// Repeats every node for each of its seeds, and for those with which others need it: a trial with a
    /// seed of its own needs its teacher with that seed.
    pub fn new(pipeline: &'a Pipeline) -> Self {
        let mut seeds: Vec<Vec<u64>> =
            pipeline.nodes.iter().map(|node| node.seeds.to_vec()).collect();
        let own: Vec<usize> = seeds.iter().map(Vec::len).collect();
        for &node in pipeline.dag.order().iter().rev() {
            for &parent in pipeline.dag.parents(node) {
                let (of_node, of_parent) = (std::mem::take(&mut seeds[node]), &mut seeds[parent]);
                for seed in &of_node {
                    if !of_parent.contains(seed) {
                        of_parent.push(*seed);
                    }
                }
                seeds[node] = of_node;
            }
        }
        let (mut tasks, mut blocks) = (Vec::new(), Vec::with_capacity(seeds.len()));
        for (node, (seeds, own)) in seeds.iter().zip(own).enumerate() {
            blocks.push(Block { start: tasks.len(), own, all: seeds.len() });
            tasks.extend(seeds.iter().map(|&seed| Task { node, seed }));
        }
        let place = |node: usize, seed: u64| {
            let found = seeds[node].iter().position(|&known| known == seed);
            blocks[node].start + found.expect("a parent has its children's seeds")
        };
        let above = |task: &Task| {
            let parents = pipeline.dag.parents(task.node).iter();
            parents.map(|&parent| place(parent, task.seed)).collect()
        };
        let parents = tasks.iter().map(above).collect();
        let dag = Dag::new(parents).expect("copies of an acyclic graph have no cycle");
        Self { pipeline, tasks, dag, blocks }
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

    /// Places of `node`'s tasks, one for each of its own seeds.
    pub fn of_node(&self, node: usize) -> Range<usize> {
        let Block { start, own, .. } = self.blocks[node];
        start..start + own
    }

    /// The same, and those with which other nodes need it.
    pub fn all_of_node(&self, node: usize) -> Range<usize> {
        let Block { start, all, .. } = self.blocks[node];
        start..start + all
    }

    /// The task of `node` with `seed`, if there is one.
    pub fn task(&self, node: usize, seed: u64) -> Option<usize> {
        self.all_of_node(node).find(|&task| self.tasks[task].seed == seed)
    }

    /// The tasks that are meant where nobody names any: all but those that are there for others alone.
    pub fn unasked(&self) -> Vec<usize> {
        let nodes = (0..self.blocks.len()).filter(|&node| !self.pipeline.nodes[node].on_demand);
        nodes.flat_map(|node| self.of_node(node)).collect()
    }

    /// What was probably meant by a name that no node has.
    fn near(&self, text: &str) -> String {
        let (node, seed) = text.rsplit_once('@').map_or((text, None), |(n, s)| (n, Some(s)));
        let names = self.pipeline.nodes.iter().map(|node| &*node.name);
        match (nearest(node, names), seed) {
            (Some(near), Some(seed)) if near == node => {
                let seeds =
                    self.tasks.iter().filter(|task| self.pipeline.nodes[task.node].name == near);
                let seeds: Vec<String> = seeds.map(|task| task.seed.to_string()).collect();
                format!("`{near}` runs with the seeds {}, not {seed}", seeds.join(", "))
            }
            (Some(near), Some(seed)) => format!("did you mean `{near}@{seed}`?"),
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, _) => "`takd plan` lists them".to_owned(),
        }
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
                return Err(SelectError::NoMatch(text.clone(), self.near(text)));
            }
        }
        Ok((0..chosen.len()).filter(|&index| chosen[index]).collect())
    }
}
