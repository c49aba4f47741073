//! Two runs on one machine give the same bits, however the work is shared out.

use crate::workspace::Workspace;
use std::{fs, path::PathBuf};
use takd::{
    architecture::Architecture,
    dataset::{Data, Dataset, FashionMini, Format, Normalisation, Split, View},
    kinds::Kinds,
    network::{Network, builtin},
    objective::CrossEntropy,
    objective::Kd,
    training::{Logits, Objective, infer},
};

#[test]
fn one_job_and_four_jobs_give_the_same_bits() {
    // 10 networks with weights and history, logits of 4 teachers, and counts of 10 measurements.
    compare_jobs("recipe.short.augment=[]", 34);
}

#[test]
fn augmented_images_are_the_same_too() {
    // Teachers are asked at each step: nothing of theirs is stored.
    compare_jobs("recipe.short.augment=[\"flip\", \"crop\"]", 30);
}

fn compare_jobs(set: &str, files: usize) {
    let workspace = Workspace::new();
    for jobs in ["1", "4"] {
        workspace.run(&["tiny.toml", "--jobs", jobs, "--cache", jobs, "--set", set]);
    }
    let [one, four] = ["1", "4"].map(|cache| workspace.entry_files(cache));
    assert_eq!(one.len(), files);
    assert!(one == four, "some file differs");
    let metrics = |cache| {
        let mut report: serde_json::Value = serde_json::from_str(&workspace.ok(&[
            "report",
            "tiny.toml",
            "--format",
            "json",
            "--cache",
            cache,
        ]))
        .unwrap();
        let rows = report["tables"][0]["rows"].as_array_mut().unwrap();
        for seed in rows.iter_mut().flat_map(|row| row["ours"]["seeds"].as_array_mut().unwrap()) {
            seed["seconds"].take();
        }
        report
    };
    assert_eq!(metrics("1"), metrics("4"));
}

/// The images in the binary, of which `validation` are held out of the training split.
fn fashion(validation: usize) -> (Dataset, Data) {
    let format = Format::from(FashionMini);
    let (info, dataset) = (format.probe().unwrap(), format.load().unwrap());
    (dataset, Data { format, validation, scoring: 0, normalisation: Normalisation::Measured, info })
}

/// Networks with all kinds of layers, on images large enough for kernels to share work among threads.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (dataset, data) = fashion(4900);
    let residual =
        ["stem8", "basic8", "basic16/2", "bottleneck4/2", "padbasic16", "avgpool", "fc10"];
    let residual = residual.map(str::to_owned).to_vec();
    let shape = data.info.shape;
    let device = burn::tensor::Device::flex();
    for (layers, threads) in [(builtin("plain4", 10).unwrap(), 2), (residual, 3)] {
        let net = Architecture::read(&layers, shape, 10, &Kinds::default()).unwrap();
        let train = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let view = View::new(&dataset, &data, Split::Train, &device).unwrap();
                let teach = |objective| {
                    let weights = crate::tiny::train(&net, objective, &view, &device).weights;
                    let mut frozen = Network::init(&net, 0, &device);
                    frozen.load(weights.clone()).unwrap();
                    (weights, infer(&frozen, &view).unwrap())
                };
                let (teacher, values) = teach(Objective::Labels(&CrossEntropy {}));
                let logits = Logits::new(&view.ids, values.clone(), 10).unwrap();
                let kd = Kd::new(4.0, 0.5);
                (teacher, values, teach(Objective::Stored(&kd, (&logits).into())))
            })
        };
        assert!(train(1) == train(threads), "{threads} threads: weights or logits differ");
    }
}

/// A student learns the same from logits that were stored, made by large batches in order, as from a
/// teacher that is asked at each step, in small shuffled batches of which the last is short.
#[test]
fn a_stored_teacher_and_a_live_one_give_the_same_bits() {
    let (dataset, data) = fashion(4603);
    let kinds = Kinds::default();
    let config = |name| {
        Architecture::read(&builtin(name, 10).unwrap(), data.info.shape, 10, &kinds).unwrap()
    };
    let device = burn::tensor::Device::flex();
    let view = View::new(&dataset, &data, Split::Train, &device).unwrap();
    let kd = Kd::new(5.0, 0.5);
    for teacher in ["plain4", "plain8", "resnet8"] {
        let teacher = Network::init(&config(teacher), 1, &device);
        let values = infer(&teacher, &view).unwrap();
        let stored = Logits::new(&view.ids, values, 10).unwrap();
        let train =
            |objective| crate::tiny::train(&config("plain2"), objective, &view, &device).weights;
        let live = train(Objective::Live(&kd, (&teacher).into()));
        assert!(train(Objective::Stored(&kd, (&stored).into())) == live, "weights differ");
    }
}

/// burn's operations and takd's train the same network: losses agree, last bits need not, and
/// the entries say which they come from.
#[test]
fn burn_ops_are_other_arithmetic_for_the_same_training() {
    let workspace = Workspace::new();
    for ops in [None, Some("--burn-ops")] {
        let cache = if ops.is_some() { "plain" } else { "own" };
        let mut args = vec!["tiny.toml", "teacher@20", "--device", "cpu", "--cache", cache];
        args.extend(ops);
        workspace.run(&args);
    }
    let [own, plain] = ["own", "plain"].map(|cache| workspace.entry_files(cache));
    assert!(own != plain, "both have the same last bits: one of them did not run");
    let losses = |files: &[(PathBuf, Vec<u8>)]| -> Vec<f64> {
        let file = files.iter().find(|(path, _)| path.ends_with("metrics.jsonl")).unwrap();
        let records = takd::history::read(&file.1).unwrap();
        records.iter().map(|record| record.loss).collect()
    };
    for (own, plain) in losses(&own).iter().zip(losses(&plain)) {
        assert!((own - plain).abs() < 1e-4, "{own} and {plain}");
    }
    for (cache, device) in [("own", "cpu"), ("plain", "cpu, burn ops")] {
        let entries = fs::read_dir(workspace.path(cache).join("entries")).unwrap();
        for entry in entries {
            let manifest = fs::read(entry.unwrap().path().join("manifest.json")).unwrap();
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            assert_eq!(manifest["provenance"]["device"], device, "{manifest}");
        }
    }
}

/// What a training gave when this was written, near enough for any CPU: initial weights, order,
/// hold-out and arithmetic all go into it. If it changes, raise `KEY_VERSION`; the last digits are
/// held by `key_version`.
#[test]
fn a_known_training_gives_what_it_gave() {
    assert_known("recipe.short.augment=[]", &KNOWN);
    assert_known("recipe.short.augment=[\"crop\", \"flip\"]", &KNOWN_AUGMENTED);
}

fn assert_known(set: &str, known: &[f64]) {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "takd@20", "--set", set]);
    let files = workspace.entry_files("cache");
    let histories = files.iter().filter(|(path, _)| path.ends_with("metrics.jsonl"));
    let mut losses: Vec<f64> = histories
        .flat_map(|(_, bytes)| takd::history::read(bytes).unwrap())
        .map(|record| record.loss)
        .collect();
    losses.sort_by(f64::total_cmp);
    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-5;
    assert!(losses.len() == known.len() && losses.iter().zip(known).all(near), "{losses:?}");
}

/// Teacher, assistant and student, two epochs each.
const KNOWN: [f64; 6] = [0.160656, 0.262304, 0.339372, 0.387803, 0.484116, 0.929941];
const KNOWN_AUGMENTED: [f64; 6] = [0.619562, 0.694372, 0.919073, 0.935912, 1.120932, 1.149351];
