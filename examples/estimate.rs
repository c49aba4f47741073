//! What pipelines take, before anything has run: a row of docs/reproduce.md each.
//!
//!     cargo run --example estimate -- pipelines/vgg.toml pipelines/resnet.toml

use std::{error::Error, path::Path};
use takd::{
    architecture::Architecture,
    executor::{Rest, makespan},
    graph::Graph,
    key::Kind,
    kinds::Kinds,
    network::{Network, builtin},
    pipeline::Work,
    plan::Step,
    session::{Absent, Opening, Selection},
    shape::Shape,
    store::Store,
};

/// Images a second of a training step on two cores (docs/performance.md, the lower of two days), and multiply-adds of
/// the network's forward pass over one.
const PACES: [(&str, f64); 4] =
    [("plain2", 8893.0), ("resnet8", 1036.0), ("resnet20", 467.0), ("plain10", 404.0)];

/// What a GPU's kernel takes at least, its launch included.
const LAUNCH: f64 = 5e-6;
/// Multiply-adds a second that it reaches in f32: half of an A100's 9.75·10¹² (NVIDIA's data sheet, 19.5 TFLOP/s).
const PRODUCTS: f64 = 4.9e12;
/// Launches of a step for each convolution, and beside them, and for each convolution that is only asked
/// (docs/gpu.md).
const LAUNCHES: [f64; 3] = [8.5, 13.0, 2.0];

/// Nodes side by side on sixteen cores, each on two.
const SIDE_BY_SIDE: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let (cache, paces) = (tempfile::tempdir()?, paces()?);
    println!(
        "| pipeline | trainings | 2 cores | 16 cores | one GPU, at least | disk | memory of a GPU |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for file in std::env::args().skip(1) {
        let opening = Opening::new(&file).absent(Absent::Planned);
        let session = opening.session(Store::new(cache.path()))?;
        let (graph, plan) = (session.graph(), session.plan(&Selection::default())?);
        let cpu: Vec<f64> = plan.steps.iter().map(|step| on_cpu(step, &paces)).collect();
        let parents: Vec<Vec<usize>> = plan.steps.iter().map(|step| step.parents.clone()).collect();
        let rest: Vec<Rest> = cpu.iter().map(|&seconds| Rest::Waiting(seconds)).collect();
        let gpu: f64 = plan.steps.iter().map(|step| on_gpu(&graph, step)).sum();
        let trained = plan.running().filter(|step| is_training(step)).count();
        let memory = plan
            .steps
            .iter()
            .map(|step| node(&graph, step))
            .map(|node| graph.pipeline.gpu_memory(node).bytes());
        println!(
            "| `{}` | {trained} | {} | {} | {} | {} | {} |",
            Path::new(&file).display(),
            hours(cpu.iter().sum()),
            hours(makespan(&rest, &parents, SIDE_BY_SIDE)),
            hours(gpu),
            bytes(plan.steps.iter().map(|step| on_disk(&graph, step)).sum()),
            bytes(memory.max().unwrap_or(0) as f64),
        );
    }
    Ok(())
}

fn is_training(step: &Step) -> bool {
    matches!(step.inputs.kind, Kind::Train | Kind::Distill) && !step.is_left_behind()
}

fn node(graph: &Graph<'_>, step: &Step) -> usize {
    graph.tasks[step.tasks[0]].node
}

/// Multiply-adds of a forward pass of the networks of [`PACES`], and how many a second a training step does.
fn paces() -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    let each = PACES.iter().map(|(name, images)| {
        let layers = builtin(name, 10).ok_or_else(|| format!("there is no {name}"))?;
        let cifar = Shape { channels: 3, height: 32, width: 32 };
        let net = Architecture::read(&layers, cifar, 10, &Kinds::default())?;
        let forward = net.multiply_adds() as f64;
        Ok((forward, 3.0 * forward * images))
    });
    each.collect()
}

/// Seconds on two cores, at the pace of the network that is nearest in size.
fn on_cpu(step: &Step, paces: &[(f64, f64)]) -> f64 {
    if step.is_left_behind() {
        return 0.0;
    }
    let far = |(forward, _): &&(f64, f64)| (forward / step.forward.max(1.0)).ln().abs();
    let nearest = paces.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
    nearest.map_or(0.0, |(_, pace)| step.multiply_adds / pace)
}

/// Seconds on a GPU for which takd's kernels are launched one behind another and none is smaller than its launch.
fn on_gpu(graph: &Graph<'_>, step: &Step) -> f64 {
    let learn = graph.learn(step.tasks[0]);
    let Some(steps) = learn.steps().filter(|_| is_training(step)) else { return 0.0 };
    let [each, beside, asked] = LAUNCHES;
    let own: f64 = learn.trained().iter().map(|net| each * convolutions(net) + beside).sum();
    let live = learn.teacher().filter(|_| learn.asks_teachers());
    let teachers = live.into_iter().flat_map(|teacher| &teacher.nodes);
    let teachers = teachers.map(|&node| asked * convolutions(&graph.pipeline.learn(node).net));
    let launched = steps as f64 * (own + teachers.sum::<f64>()) * LAUNCH;
    launched.max(step.multiply_adds / PRODUCTS)
}

fn convolutions(net: &Architecture) -> f64 {
    let tensors = Network::init(net, 0, &burn::tensor::Device::flex()).save();
    tensors.iter().filter(|tensor| tensor.shape.len() == 4).count() as f64
}

/// Bytes of entries: weights, and of a teacher its logits.
fn on_disk(graph: &Graph<'_>, step: &Step) -> f64 {
    if !is_training(step) {
        return 0.0;
    }
    let learn = graph.learn(step.tasks[0]);
    let teaches = graph.pipeline.nodes.iter().any(|other| match &other.work {
        Work::Learn(other) => {
            !other.asks_teachers()
                && other.teacher().is_some_and(|teacher| teacher.nodes.contains(&node(graph, step)))
        }
        Work::Eval(_) => false,
    });
    let logits = if teaches { 4 * learn.data.trained() * learn.net.classes() } else { 0 };
    (learn.net.size() + logits) as f64
}

fn hours(seconds: f64) -> String {
    match seconds {
        ..3600.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

fn bytes(count: f64) -> String {
    if count < 1e9 { format!("{:.0} MB", count / 1e6) } else { format!("{:.1} GB", count / 1e9) }
}
