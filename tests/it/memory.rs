//! Memory does not grow with steps: a training of 3,000 has what one of 100 has.

use crate::{pictures, running::Running, tiny, workspace::Workspace};
use burn::tensor::Device;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};
use takd::{
    architecture::{Architecture, WrittenLayer as Layer},
    dataset::{
        Data, DataInfo, Dataset, Digests, FashionMini, Images, Normalisation, Part, Split, View,
    },
    network::Network,
    shape::Shape,
    training,
};

/// Layers with both ways of convolving, and with all three kinds of shortcuts.
const PLAIN: [&str; 4] = ["conv8", "conv8", "maxpool", "fc3"];
const RESIDUAL: [&str; 6] = ["stem8", "basic8", "basic16/2", "padbasic24/2", "avgpool", "fc3"];

fn net(layers: &[&str], channels: usize) -> Architecture {
    let layers: Vec<Layer> = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    Architecture::new(layers, Shape { channels, height: 8, width: 8 }, tiny::CLASSES).unwrap()
}

/// Ten training images, two of which are held out, and seven test images.
fn views(channels: usize) -> [View; 3] {
    let shape = Shape { channels, height: 8, width: 8 };
    let part = |count: usize| Part {
        images: Images::Bytes((0..count * shape.size()).map(|at| (at * at % 251) as u8).collect()),
        labels: (0..count).map(|at| (at % tiny::CLASSES) as u16).collect(),
    };
    let (digests, notes) = (Digests::default(), Vec::new());
    let (train, test) = (part(10), part(7));
    let dataset = Dataset { shape, classes: tiny::CLASSES, train, test, digests, notes };
    let info = DataInfo { shape, train: 10, test: 7, ..tiny::info() };
    let normalisation = Normalisation::Measured;
    let data = Data { format: FashionMini.into(), validation: 2, scoring: 0, normalisation, info };
    [Split::Train, Split::Validation, Split::Test]
        .map(|split| View::new(&dataset, &data, split, &Device::flex()).unwrap())
}

/// The most that was allocated at a time by what one thread did.
fn peak(work: impl FnOnce() + Send) -> u64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| allocation_counter::measure(work).bytes_max)
}

#[test]
fn evaluation_and_logits_take_no_more_after_3000_batches_than_after_100() {
    for (channels, layers) in [(1, &PLAIN[..]), (3, &PLAIN), (1, &RESIDUAL), (3, &RESIDUAL)] {
        let (net, views) = (net(layers, channels), views(channels));
        let net = Network::init(&net, 7, &Device::flex());
        let peak = |batches: usize| {
            peak(|| {
                for batch in 0..batches {
                    training::infer(&net, &views[batch % 3]).unwrap();
                }
            })
        };
        let [short, long] = [100, 3000].map(peak);
        assert!(long <= short, "{channels} channels, {layers:?}: {short}, then {long} bytes");
    }
}

/// A teacher, plain, and its student, residual, each trained for 3,000 steps of two sizes.
const PIPELINE: &str = r#"
seeds = [20]
[data.bars]
format     = "idx"
path       = "bars"
validation = 12
[data.pictures]
format     = "image-folder"
path       = "set"
size       = 8
validation = 2
[recipe.long]
epochs     = 750
batch_size = 16
optimizer  = { sgd = { lr = 0.02, momentum = 0.9 } }
[net.plain]
layers = ["conv8", "conv8", "maxpool", "fcCLASSES"]
[net.residual]
layers = ["stem8", "basic8", "basic16/2", "padbasic24/2", "avgpool", "fcCLASSES"]
[train.teacher]
net    = "plain"
data   = "DATA"
recipe = "long"
[distill.student]
net       = "residual"
teacher   = "teacher"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }
"#;

/// KiB that pages come and go by: what the allocator has split and not joined again.
const PAGES: u64 = 2 << 10;

fn a_process_is_flat(data: &str, classes: &str) {
    let workspace = Workspace::new();
    pictures::write(&workspace.path("set"));
    workspace.write("long.toml", PIPELINE.replace("DATA", data).replace("CLASSES", classes));
    let args = ["run", "long.toml", "--jobs", "1", "--log-format", "json"];
    let mut command = workspace.command(&args);
    let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let status = format!("/proc/{}/status", run.id());
    let resident = || -> Option<u64> {
        let status = fs::read_to_string(&status).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    for node in ["teacher@20", "student@20"] {
        let (mut early, mut late) = (None, None);
        for line in BufReader::new(run.stderr.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            let event: Value = serde_json::from_str(&line).expect(&line);
            assert!(event["status"] != "failed" && event["event"] != "error", "{event}");
            if event["node"] != node || event["event"] != "epoch" {
                continue;
            }
            let (epoch, epochs) = (event["epoch"].as_u64(), event["epochs"].as_u64());
            let steps = epoch.unwrap() * 3000 / epochs.unwrap();
            if (100..200).contains(&steps) {
                early = early.max(resident());
            } else if (2800..3000).contains(&steps) {
                late = late.max(resident());
            } else if steps == 3000 {
                break;
            }
        }
        let [early, late] = [early, late].map(|kib| kib.expect("the process was there"));
        assert!(late <= early + PAGES, "{node}, {data}: {early} KiB, then {late}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_trains_on_grey_images_does_not_grow() {
    a_process_is_flat("bars", "3");
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_trains_on_images_in_files_does_not_grow() {
    a_process_is_flat("pictures", "2");
}
