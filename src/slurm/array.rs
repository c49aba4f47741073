//! Which steps are submitted together, and what each batch waits for.
//!
//! One submission per node would be the simplest, but a cluster counts jobs and a user counts lines of
//! `squeue`. So seeds of a node are tasks of one job array, in which a seed has the same place in the arrays
//! of all nodes: a task then waits for the task of its own place alone (`aftercorr`), and not for all seeds.
//! Nodes with one seed left are tasks of one array where they wait for the same, or each for another task of
//! one array.

use std::collections::{BTreeMap, BTreeSet};

/// A step to submit.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place in the plan.
    pub step: usize,
    /// What it may share an array with: only what asks for the same.
    pub sort: usize,
    /// Its node.
    pub node: usize,
    /// Its seed.
    pub seed: u64,
    /// What it waits for.
    pub needs: Vec<Need>,
}

/// What a step waits for.
#[derive(Clone, Debug)]
pub enum Need {
    /// A step that is submitted, too.
    Step(usize),
    /// A job that is in the queue.
    Job(String),
}

/// What a batch waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Each task for that of its own index in another batch.
    Each(usize),
    /// All for this task of another batch.
    One(usize, usize),
    /// All for a job that is in the queue.
    Job(String),
}

/// Index in an array, and place in the plan.
pub type Task = (usize, usize);

/// Steps that are submitted as one job or one job array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Index in the array and place in the plan; sorted. A single one is no array.
    pub tasks: Vec<Task>,
    /// What it waits for, sorted.
    pub edges: Vec<Edge>,
}

impl Batch {
    /// Whether it is a job array.
    pub fn is_array(&self) -> bool {
        self.tasks.len() > 1
    }
}

/// What steps of one batch have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Bucket {
    sort: usize,
    /// Node and part of the seeds, of a node with several.
    column: Option<(usize, usize)>,
    edges: Vec<Edge>,
}

/// Batches, each after those that it waits for. `items` come after what they need; an array has `most` tasks at
/// most.
pub fn batches(items: &[Item], most: usize) -> Vec<Batch> {
    let most = most.max(1);
    let seeds: BTreeSet<u64> = items.iter().map(|item| item.seed).collect();
    let ordinals: BTreeMap<u64, usize> =
        seeds.into_iter().enumerate().map(|(ordinal, seed)| (seed, ordinal)).collect();
    let mut of_node: BTreeMap<usize, usize> = BTreeMap::new();
    items.iter().for_each(|item| *of_node.entry(item.node).or_default() += 1);
    let mut batches: Vec<Batch> = Vec::new();
    // Batch and index of each step that has its place.
    let mut places: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for level in levels(items) {
        let mut buckets: BTreeMap<Bucket, Vec<(usize, usize)>> = BTreeMap::new();
        let (columns, lone): (Vec<&Item>, Vec<&Item>) =
            level.into_iter().partition(|item| of_node[&item.node] > 1);
        for item in columns {
            let ordinal = ordinals[&item.seed];
            let index = ordinal % most;
            let edges = edges(item, &places, |batch, at| at == index && batches[batch].is_array());
            let column = Some((item.node, ordinal / most));
            let bucket = Bucket { sort: item.sort, column, edges };
            buckets.entry(bucket).or_default().push((index, item.step));
        }
        let apart = apart(&lone, &places, &batches);
        for item in lone {
            let own = apart.contains(&item.step).then(|| index_of(item, &places)).flatten();
            let edges = edges(item, &places, |_, at| own == Some(at));
            let bucket = Bucket { sort: item.sort, column: None, edges };
            buckets.entry(bucket).or_default().push((own.unwrap_or(usize::MAX), item.step));
        }
        for (Bucket { edges, .. }, tasks) in buckets {
            for part in tasks.chunks(most) {
                let numbered = part.iter().enumerate().map(|(number, &(index, step))| {
                    (if index == usize::MAX { number } else { index }, step)
                });
                let mut tasks: Vec<_> = numbered.collect();
                tasks.sort_unstable();
                for &(index, step) in &tasks {
                    places.insert(step, (batches.len(), index));
                }
                let single = tasks.len() == 1;
                let edges = edges.iter().map(|edge| match edge {
                    Edge::Each(batch) if single => Edge::One(*batch, tasks[0].0),
                    edge => edge.clone(),
                });
                let edges = edges.collect();
                batches.push(Batch { tasks, edges });
            }
        }
    }
    batches
}

/// Steps by how many others, one after another, each waits for.
fn levels(items: &[Item]) -> Vec<Vec<&Item>> {
    let mut depths: BTreeMap<usize, usize> = BTreeMap::new();
    let mut levels: Vec<Vec<&Item>> = Vec::new();
    for item in items {
        let above = item.needs.iter().filter_map(|need| match need {
            Need::Step(step) => depths.get(step).map(|depth| depth + 1),
            Need::Job(_) => None,
        });
        let depth = above.max().unwrap_or(0);
        depths.insert(item.step, depth);
        levels.resize_with(levels.len().max(depth + 1), Vec::new);
        levels[depth].push(item);
    }
    levels
}

fn edges(
    item: &Item,
    places: &BTreeMap<usize, (usize, usize)>,
    is_own: impl Fn(usize, usize) -> bool,
) -> Vec<Edge> {
    let edge = |need: &Need| match need {
        Need::Step(step) => {
            let (batch, index) = places[step];
            if is_own(batch, index) { Edge::Each(batch) } else { Edge::One(batch, index) }
        }
        Need::Job(job) => Edge::Job(job.clone()),
    };
    let edges: BTreeSet<Edge> = item.needs.iter().map(edge).collect();
    edges.into_iter().collect()
}

/// The index that a step can have in an array whose tasks wait for their own place each: that of all that it
/// waits for.
fn index_of(item: &Item, places: &BTreeMap<usize, (usize, usize)>) -> Option<usize> {
    let indices: BTreeSet<Option<usize>> = item
        .needs
        .iter()
        .map(|need| match need {
            Need::Step(step) => Some(places[step].1),
            Need::Job(_) => None,
        })
        .collect();
    if indices.len() == 1 { indices.into_iter().next().flatten() } else { None }
}

/// Those of a level that wait for tasks of the same arrays, each for another one.
fn apart(
    lone: &[&Item],
    places: &BTreeMap<usize, (usize, usize)>,
    batches: &[Batch],
) -> BTreeSet<usize> {
    // By sort and the arrays: index and step of each.
    let mut alike: BTreeMap<(usize, Vec<usize>), Vec<Task>> = BTreeMap::new();
    for item in lone {
        let Some(index) = index_of(item, places) else { continue };
        let of = item.needs.iter().filter_map(|need| match need {
            Need::Step(step) => Some(places[step].0),
            Need::Job(_) => None,
        });
        let of: BTreeSet<usize> = of.collect();
        if of.iter().all(|&batch| batches[batch].is_array()) {
            let of = of.into_iter().collect();
            alike.entry((item.sort, of)).or_default().push((index, item.step));
        }
    }
    let each_another = |found: &&Vec<Task>| {
        let indices: BTreeSet<usize> = found.iter().map(|(index, _)| *index).collect();
        found.len() > 1 && indices.len() == found.len()
    };
    alike.values().filter(each_another).flatten().map(|(_, step)| *step).collect()
}

/// `0-4,7`, as sbatch's `--array` has it.
pub fn ranges(indices: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &index in indices {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 == index => *end = index,
            _ => parts.push((index, index)),
        }
    }
    let text = |&(start, end): &(usize, usize)| match start == end {
        true => start.to_string(),
        false => format!("{start}-{end}"),
    };
    parts.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{Batch, Edge, Item, Need, batches, ranges};

    fn item(step: usize, sort: usize, node: usize, seed: u64, needs: &[usize]) -> Item {
        let needs = needs.iter().map(|&step| Need::Step(step)).collect();
        Item { step, sort, node, seed, needs }
    }

    fn batch(tasks: &[(usize, usize)], edges: &[Edge]) -> Batch {
        Batch { tasks: tasks.to_vec(), edges: edges.to_vec() }
    }

    #[test]
    fn seeds_are_an_array_whose_tasks_wait_for_their_own_seed() {
        // A teacher with the seeds 20, 31, 9, and its student.
        let seeds = [20, 31, 9];
        let teachers = seeds.iter().enumerate().map(|(i, &seed)| item(i, 0, 0, seed, &[]));
        let students = seeds.iter().enumerate().map(|(i, &seed)| item(3 + i, 1, 1, seed, &[i]));
        let items: Vec<Item> = teachers.chain(students).collect();
        assert_eq!(
            batches(&items, 1000),
            [
                batch(&[(0, 2), (1, 0), (2, 1)], &[]),
                batch(&[(0, 5), (1, 3), (2, 4)], &[Edge::Each(0)])
            ]
        );
        // No array is larger than it may be, and places still agree; what is left of one is no array.
        assert_eq!(
            batches(&items, 2),
            [
                batch(&[(0, 2), (1, 0)], &[]),
                batch(&[(0, 1)], &[]),
                batch(&[(0, 5), (1, 3)], &[Edge::Each(0)]),
                batch(&[(0, 4)], &[Edge::One(1, 0)]),
            ]
        );
    }

    #[test]
    fn what_is_left_of_a_node_waits_for_what_is_left_of_its_teacher() {
        // Of the teacher one seed is missing, of the student all three.
        let items = [
            item(0, 0, 0, 31, &[]),
            item(1, 1, 1, 20, &[]),
            item(2, 1, 1, 31, &[0]),
            item(3, 1, 1, 9, &[]),
        ];
        assert_eq!(
            batches(&items, 1000),
            [
                batch(&[(0, 0)], &[]),
                batch(&[(0, 3), (1, 1)], &[]),
                batch(&[(2, 2)], &[Edge::One(0, 0)]),
            ]
        );
    }

    #[test]
    fn nodes_with_one_seed_share_an_array_where_they_wait_for_the_same() {
        // Three students of one teacher, and an eval of each.
        let students = (1..4).map(|i| item(i, 1, i, 20, &[0]));
        let evals = (4..7).map(|i| item(i, 2, i, 20, &[i - 3]));
        let items: Vec<Item> =
            [item(0, 0, 0, 20, &[])].into_iter().chain(students).chain(evals).collect();
        assert_eq!(
            batches(&items, 1000),
            [
                batch(&[(0, 0)], &[]),
                batch(&[(0, 1), (1, 2), (2, 3)], &[Edge::One(0, 0)]),
                batch(&[(0, 4), (1, 5), (2, 6)], &[Edge::Each(1)]),
            ]
        );
        // Two evals of one student are not apart.
        let both = [items, vec![item(7, 2, 7, 20, &[1])]].concat();
        let edges: Vec<_> = batches(&both, 1000).split_off(2);
        let one = |index| vec![Edge::One(1, index)];
        assert_eq!(
            edges,
            [
                Batch { tasks: vec![(0, 4), (1, 7)], edges: one(0) },
                Batch { tasks: vec![(0, 5)], edges: one(1) },
                Batch { tasks: vec![(0, 6)], edges: one(2) },
            ]
        );
    }

    #[test]
    fn a_step_waits_for_all_that_it_reads() {
        // A student of two teachers, one of which is in the queue.
        let mut items = vec![item(0, 0, 0, 20, &[]), item(1, 1, 1, 20, &[0])];
        items[1].needs.push(Need::Job("7_3".to_owned()));
        let edges = batches(&items, 1000).pop().unwrap().edges;
        assert_eq!(edges, [Edge::One(0, 0), Edge::Job("7_3".to_owned())]);
    }

    #[test]
    fn indices_are_written_as_ranges() {
        for (indices, text) in [(&[0][..], "0"), (&[0, 1, 2], "0-2"), (&[0, 2, 3, 7], "0,2-3,7")] {
            assert_eq!(ranges(indices), text);
        }
    }
}
