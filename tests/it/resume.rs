//! A training that was stopped, however rudely, goes on and ends with the same bits.

use crate::{
    tiny,
    workspace::{PIPELINE, Workspace},
};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use takd::{
    config::{
        Adam, Data, Format, Net, Normalisation, Optimizer, Recipe, Schedule, Select, Split, Warmup,
    },
    data::{View, load, probe},
    learn::{Lesson, Objective, resume, train},
    net::{NamedTensor, Ops},
    node::{read_checkpoint, write_checkpoint},
};

#[test]
fn every_optimizer_goes_on_from_a_checkpoint_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    tiny::write_idx(folder.path());
    let format = Format::Idx(folder.path().to_owned());
    let (info, dataset) = (probe(&format).unwrap(), load(&format).unwrap());
    let layers = ["conv4", "maxpool", "fc3"].map(|layer| layer.parse().unwrap()).to_vec();
    let net = Net::new(layers, info.shape, info.classes).unwrap();
    let data = Data { format, validation: 12, normalisation: Normalisation::Measured, info };
    let device = burn::tensor::Device::flex();
    let view = |split| View::new(&dataset, &data, split, &device).unwrap();
    let (images, judge) = (view(Split::Train), view(Split::Validation));
    let adam = Adam { lr: 0.01, betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.01 };
    let sgd = |momentum| Optimizer::Sgd { lr: 0.02, momentum, nesterov: false, weight_decay: 1e-3 };
    for optimizer in [sgd(0.0), sgd(0.9), Optimizer::Adam(adam), Optimizer::AdamW(adam)] {
        let recipe = Recipe {
            epochs: 5,
            batch_size: 16,
            optimizer,
            schedule: Schedule::Cosine { min: 0.0 },
            warmup: Warmup(1),
            augment: Vec::new(),
            select: Select::BestValidation,
        };
        let (objective, judge) = (Objective::CrossEntropy, Some(&judge));
        let lesson = Lesson {
            net: &net,
            recipe: &recipe,
            objective,
            seed: 3,
            ops: Ops::Own,
            train: &images,
            judge,
        };
        let whole = train(&lesson, &device, &tiny::Never, &mut |_, _| {}).unwrap();
        for stop in 1..5 {
            let mut kept = None;
            resume(&lesson, &device, &tiny::Never, None, &mut |progress| {
                if progress.record.epoch == stop {
                    kept = Some(write_checkpoint(&(progress.checkpoint)()).unwrap());
                }
            })
            .unwrap();
            let from = Some(read_checkpoint(&kept.unwrap()).unwrap());
            let mut epochs = 0;
            let again = resume(&lesson, &device, &tiny::Never, from, &mut |_| epochs += 1).unwrap();
            assert_eq!(epochs, 5 - stop, "{optimizer:?}");
            // A file has its tensors in another order.
            let sorted = |weights: &[NamedTensor]| {
                let mut weights = weights.to_vec();
                weights.sort_by(|a, b| a.name.cmp(&b.name));
                weights
            };
            let same = sorted(&again.weights) == sorted(&whole.weights);
            assert!(same, "{optimizer:?} from epoch {stop}");
            assert_eq!((again.history, again.selected), (whole.history.clone(), whole.selected));
        }
    }
}

/// Long enough for some checkpoints, a second apart.
const EPOCHS: &str = "recipe.short.epochs=2000";

fn spawn(workspace: &Workspace) -> Child {
    let mut command = workspace.command(&["run", "tiny.toml", "takd", "--set", EPOCHS]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn checkpoints(workspace: &Workspace) -> Vec<PathBuf> {
    let files = fs::read_dir(workspace.path("cache/checkpoints")).into_iter().flatten();
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_none()).collect()
}

/// Waits until a training has left a checkpoint; false if the run ended first.
fn wait_for_checkpoint(workspace: &Workspace, child: &mut Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if !checkpoints(workspace).is_empty() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("neither a checkpoint nor an end in two minutes");
}

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", PIPELINE.replace("seeds = [20, 31]", "seeds = [20]"));
    workspace
}

#[test]
fn killed_anywhere_a_run_goes_on_and_ends_with_the_same_bits() {
    let whole = workspace();
    whole.run(&["tiny.toml", "takd", "--set", EPOCHS]);
    let killed = workspace();
    for extra in [5, 130, 40] {
        let mut child = spawn(&killed);
        if !wait_for_checkpoint(&killed, &mut child) {
            break;
        }
        std::thread::sleep(Duration::from_millis(extra));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(!checkpoints(&killed).is_empty(), "at least one kill came before the end");
    let output = killed.takd(&["run", "tiny.toml", "takd", "--set", EPOCHS]);
    assert!(output.code == 0 && output.stderr.contains("goes on after epoch"), "{output:?}");
    assert!(whole.entry_files("cache") == killed.entry_files("cache"), "some file differs");
    assert!(checkpoints(&killed).is_empty(), "an entry needs no checkpoint any more");
    assert!(killed.ok(&["cache", "verify"]).ends_with("0 damaged\n"));
}

#[test]
fn a_damaged_checkpoint_costs_its_epochs_and_nothing_else() {
    let workspace = workspace();
    let mut child = spawn(&workspace);
    assert!(wait_for_checkpoint(&workspace, &mut child));
    child.kill().unwrap();
    child.wait().unwrap();
    for checkpoint in checkpoints(&workspace) {
        let mut bytes = fs::read(&checkpoint).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(checkpoint, bytes).unwrap();
    }
    let output = workspace.takd(&["run", "tiny.toml", "takd", "--set", EPOCHS]);
    assert!(output.code == 0 && output.stderr.contains("checkpoint is damaged"), "{output:?}");
    // gc keeps checkpoints of what its pipelines reach, and removes others.
    let lost = workspace.path("cache/checkpoints").join("ab".repeat(32));
    fs::write(&lost, "x").unwrap();
    assert!(workspace.ok(&["cache", "gc", "tiny.toml"]).contains("checkpoints"));
    assert!(!lost.exists());
}
