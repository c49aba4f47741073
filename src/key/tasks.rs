//! The keys of a graph's tasks.

use super::{Key, KeyInputs};
use crate::graph::Graph;
use std::collections::HashMap;

/// Each task's inputs and key, in the order of `graph.tasks`.
pub fn keys(graph: &Graph<'_>) -> Vec<(KeyInputs, Key)> {
    let all: Vec<usize> = (0..graph.tasks.len()).collect();
    let mut keys = keys_for(graph, &all);
    all.iter().map(|task| keys.remove(task).expect("all were asked for")).collect()
}

/// Inputs and keys of these tasks, and of all that they depend on.
pub fn keys_for(graph: &Graph<'_>, tasks: &[usize]) -> HashMap<usize, (KeyInputs, Key)> {
    let mut needed = vec![false; graph.tasks.len()];
    let mut open = tasks.to_vec();
    while let Some(task) = open.pop() {
        if !std::mem::replace(&mut needed[task], true) {
            open.extend(graph.dag.parents(task));
        }
    }
    let mut keys: HashMap<usize, (KeyInputs, Key)> = HashMap::new();
    for &task in graph.dag.order().iter().filter(|&&task| needed[task]) {
        let parents = graph.dag.parents(task).iter();
        let parents = parents.map(|parent| keys.get(parent).map(|(_, key)| *key));
        let parents = parents.collect::<Option<_>>().expect("the order puts parents first");
        let inputs = KeyInputs::of_task(graph, &graph.tasks[task], parents);
        let key = inputs.key();
        keys.insert(task, (inputs, key));
    }
    keys
}
