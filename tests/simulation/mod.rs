//! Many machines that share one bucket, simulated: the planner, the walk, the leases, the stores and the exchange with
//! the bucket are takd's own, each machine with a cache of its own; only trainings are none, entries hold a few bytes,
//! and time is what the simulation says it is.
//!
//! Each machine is a thread of which one runs at a time: it sleeps until its turn, so that a simulation gives the same
//! report again.

mod bucket;
mod machine;
mod time;

use bucket::Objects;
pub use bucket::Operations;
use machine::Machine;
use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use takd::{
    executor::{Costs, Limits, Walk, remaining},
    graph::Graph,
    key::{Key, Kind, keys},
    plan::{Known, Plan},
    remote::Beside,
    session::Opening,
    store::Store,
};
use time::Time;

/// What is simulated.
pub struct Setting {
    /// Machines, one node at a time each.
    pub machines: usize,
    /// Share of trainings during which their machine dies.
    pub deaths: f64,
    /// Seconds until another machine stands in for a dead one.
    pub replaced_after: f64,
    /// Seconds of an operation on the bucket, of a list for each 1,000 names.
    pub latency: f64,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pub nodes: usize,
    /// Seconds until the last entry was in the bucket.
    pub makespan: f64,
    /// Seconds that no number of machines can go below: the longest chain of nodes that wait for each other.
    pub critical_path: f64,
    /// Seconds of work, of all nodes once.
    pub work: f64,
    /// Seconds of work that was lost with machines that died.
    pub lost: f64,
    /// Nodes that were made more than once.
    pub repeated: usize,
    pub deaths: usize,
    pub operations: Operations,
}

impl Report {
    /// The least makespan: a machine has no more than a second a second, and a chain cannot be cut.
    pub fn bound(&self, machines: usize) -> f64 {
        (self.work / machines as f64).max(self.critical_path)
    }
}

/// Seconds that a step takes: a training minutes, a measurement seconds, drawn by its key.
fn seconds(kind: Kind, key: &Key) -> f64 {
    let drawn = key.to_string().bytes().take(6).fold(0u32, |sum, byte| sum * 31 + u32::from(byte));
    let share = 0.7 + 0.6 * f64::from(drawn % 1000) / 1000.0;
    share
        * match kind {
            Kind::Train => 600.0,
            Kind::Distill => 300.0,
            Kind::Eval | Kind::Logits | Kind::Import => 10.0,
        }
}

/// What all machines have in common.
pub(crate) struct World<'a> {
    graph: &'a Graph<'a>,
    plan: &'a Plan,
    beside: &'a Beside,
    setting: &'a Setting,
    time: Arc<Time>,
    objects: Objects,
    /// How often each key was made whole.
    made: Mutex<HashMap<Key, usize>>,
    lost: Mutex<f64>,
    deaths: AtomicUsize,
}

/// Runs a pipeline's text on many machines.
pub fn simulate(text: &str, setting: &Setting) -> Report {
    // Very many small files, each synced: in memory where there is such a place.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.unwrap();
    let folder = folder.path();
    let file = folder.join("simulated.toml");
    fs::write(&file, text).unwrap();
    let session = Opening::new(&file).session(Store::new(folder.join("cache")));
    let session = session.unwrap_or_else(|error| panic!("{error}"));
    let graph = session.graph();
    let all: Vec<usize> = (0..graph.tasks.len()).collect();
    let plan = Plan::new(&graph, keys(&graph), &Known::default(), &all, &[]);
    let limits = Limits { jobs: 1, width: None, threads: 1, keep_going: true, salt: None };
    let walk = Walk::new(&plan, limits, Costs::default());
    let beside = Beside::new(&graph, &plan);
    let time = Arc::new(Time::new(setting.machines));
    let objects = Objects::new(time.clone(), setting.latency);
    let (made, lost, deaths) = (Mutex::default(), Mutex::default(), AtomicUsize::new(0));
    let world = World {
        graph: &graph,
        plan: &plan,
        beside: &beside,
        setting,
        time,
        objects,
        made,
        lost,
        deaths,
    };
    thread::scope(|scope| {
        for number in 0..setting.machines {
            let (world, walk) = (&world, &walk);
            let work = move || {
                let _presence = world.time.enter(number);
                Machine::live(world, walk, number, &folder.join(number.to_string()));
            };
            thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, work).unwrap();
        }
        world.time.start();
    });
    let each: Vec<f64> =
        plan.steps.iter().map(|step| seconds(step.inputs.kind, &step.key)).collect();
    let mut children = vec![Vec::new(); plan.steps.len()];
    for (index, step) in plan.steps.iter().enumerate() {
        step.parents.iter().for_each(|&parent| children[parent].push(index));
    }
    let made = world.made.into_inner().unwrap();
    let missing = plan.steps.iter().filter(|step| !made.contains_key(&step.key)).count();
    assert_eq!(missing, 0, "nodes that nobody has made");
    Report {
        nodes: plan.steps.len(),
        makespan: world.objects.last_entry(),
        critical_path: remaining(&each, &children).into_iter().fold(0.0, f64::max),
        work: each.iter().sum(),
        lost: world.lost.into_inner().unwrap(),
        repeated: plan.steps.iter().filter(|step| made[&step.key] > 1).count(),
        deaths: world.deaths.load(Ordering::Relaxed),
        operations: world.objects.operations(),
    }
}

/// A pipeline of four teachers, `students` students of each, and the measurements of all, with so many seeds.
pub fn pipeline(students: usize, seeds: usize) -> String {
    let list = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(", ");
    let lambdas =
        list(&mut (1..=students).map(|n| format!("{:?}", n as f64 / (students + 1) as f64)));
    let seeds = list(&mut (0..seeds).map(|seed| seed.to_string()));
    format!(
        r#"
seeds = [{seeds}]
[data.fashion]
format     = "fashion-mini"
validation = 500
[recipe.short]
epochs     = 1
batch_size = 64
optimizer  = {{ sgd = {{ lr = 0.01 }} }}
[train."teacher{{size}}"]
matrix = {{ size = [10, 8, 6, 4] }}
net    = "plain{{size}}"
data   = "fashion"
recipe = "short"
[distill."student{{size}}-{{lambda}}"]
matrix    = {{ size = [10, 8, 6, 4], lambda = [{lambdas}] }}
net       = "plain2"
teacher   = "teacher{{size}}"
objective = {{ kd = {{ temperature = 4.0, lambda = "{{lambda}}" }} }}
[eval.test]
of = ["*"]
"#
    )
}
