//! A directed acyclic graph of numbered items, over petgraph: stable order, cycles as paths.

use petgraph::{
    algo::tarjan_scc,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef,
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// Items `0..len`, each after the items that it depends on.
#[derive(Debug)]
pub struct Dag {
    order: Vec<usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

/// Items that depend on one another in a circle: each depends on the next, the last on the first.
#[derive(Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

impl Dag {
    /// The graph in which item i depends on `parents[i]`.
    ///
    /// The order is stable: of the items that could come next, the lowest number does.
    ///
    /// # Errors
    /// One [`Cycle`] for each knot of circular dependencies.
    ///
    /// # Panics
    /// If a parent is not below `parents.len()`.
    pub fn new(parents: Vec<Vec<usize>>) -> Result<Self, Vec<Cycle>> {
        let mut graph = DiGraph::<(), ()>::with_capacity(parents.len(), parents.len());
        for _ in &parents {
            graph.add_node(());
        }
        for (child, above) in parents.iter().enumerate() {
            for &parent in above {
                graph.add_edge(NodeIndex::new(child), NodeIndex::new(parent), ());
            }
        }
        let cycles = cycles(&graph);
        if !cycles.is_empty() {
            return Err(cycles);
        }
        let mut children = vec![Vec::new(); parents.len()];
        let mut waiting: Vec<usize> = parents.iter().map(Vec::len).collect();
        for (child, above) in parents.iter().enumerate() {
            above.iter().for_each(|&parent| children[parent].push(child));
        }
        let mut ready: BinaryHeap<_> =
            (0..parents.len()).filter(|&item| waiting[item] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(parents.len());
        while let Some(Reverse(item)) = ready.pop() {
            order.push(item);
            for &child in &children[item] {
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push(Reverse(child));
                }
            }
        }
        Ok(Self { order, parents, children })
    }

    /// All items, dependencies first.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// What `item` depends on.
    pub fn parents(&self, item: usize) -> &[usize] {
        &self.parents[item]
    }

    /// These items and all that they depend on, each once.
    pub fn closure(&self, items: &[usize]) -> Vec<usize> {
        let (mut open, mut seen) = (items.to_vec(), vec![false; self.parents.len()]);
        while let Some(item) = open.pop() {
            if !std::mem::replace(&mut seen[item], true) {
                open.extend(&self.parents[item]);
            }
        }
        (0..seen.len()).filter(|&item| seen[item]).collect()
    }

    /// What depends on `item`.
    pub fn children(&self, item: usize) -> &[usize] {
        &self.children[item]
    }
}

/// One circle out of each strongly connected knot, starting at its lowest item.
fn cycles(graph: &DiGraph<(), ()>) -> Vec<Cycle> {
    let mut found = Vec::new();
    for mut knot in tarjan_scc(graph) {
        knot.sort();
        let start = knot[0];
        if knot.len() == 1 && !graph.contains_edge(start, start) {
            continue;
        }
        // Inside a knot every item has a way on, so a walk that never leaves must meet itself.
        let mut path = vec![start];
        loop {
            let here = path[path.len() - 1];
            let Some(next) =
                graph.edges(here).map(|edge| edge.target()).filter(|n| knot.contains(n)).min()
            else {
                break;
            };
            if let Some(met) = path.iter().position(|&seen| seen == next) {
                path.drain(..met);
                break;
            }
            path.push(next);
        }
        found.push(Cycle(path.into_iter().map(NodeIndex::index).collect()));
    }
    found.sort_by_key(|cycle| cycle.0[0]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_stable_and_parents_come_first() {
        let dag = Dag::new(vec![vec![3], vec![], vec![0, 1], vec![]]).ok().unwrap();
        assert_eq!(dag.order(), [1, 3, 0, 2]);
        assert_eq!(dag.children(0), [2]);
    }

    #[test]
    fn each_knot_gives_one_cycle_path() {
        let cycles = Dag::new(vec![vec![1], vec![2], vec![0, 1], vec![3], vec![0]]).err().unwrap();
        assert_eq!(cycles, [Cycle(vec![0, 1, 2]), Cycle(vec![3])]);
    }
}
