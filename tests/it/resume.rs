//! A training that was stopped, however rudely, goes on and ends with the same bits.

use crate::{
    running::Running,
    tiny,
    workspace::{PIPELINE, Workspace},
};
use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};
use takd::{
    architecture::Architecture,
    dataset::{Data, Format, Idx, Normalisation, Split, View},
    network::{Kernels, NamedTensor},
    node::{read_checkpoint, write_checkpoint},
    objective::CrossEntropy,
    optimizer::{Adam, AdamW, Sgd},
    recipe::{BatchnormWeight, OnCollapse, Precision, Recipe, Select},
    schedule::Cosine,
    training::{
        Checkpoint, LearnError, Objective, Order, Progress, Training, TrainingState, Watch, resume,
        train,
    },
};

/// Takes a checkpoint before each step and after each epoch, and stops before a step if told.
#[derive(Default)]
pub struct Keeper {
    pub kept: Vec<Vec<u8>>,
    asked: usize,
    stop: Option<usize>,
    /// Batches of evaluation so far, and the one before which it stops.
    evaluated: usize,
    stop_evaluation: Option<usize>,
}

impl Watch for Keeper {
    fn order(&mut self, _: usize, _: usize, _: usize) -> Order {
        self.asked += 1;
        if self.stop == Some(self.asked) { Order::Stop } else { Order::Keep }
    }

    fn keep(&mut self, checkpoint: &dyn Fn() -> Checkpoint) {
        self.kept.push(write_checkpoint(&checkpoint()).unwrap());
    }

    fn stopped(&mut self) -> bool {
        self.evaluated += 1;
        self.stop_evaluation == Some(self.evaluated)
    }

    fn epoch(&mut self, progress: &Progress<'_>) {
        self.keep(progress.checkpoint);
    }
}

#[test]
fn every_optimizer_goes_on_from_a_checkpoint_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    tiny::write_idx(folder.path());
    let format = Format::from(Idx(folder.path().to_owned()));
    let (info, dataset) = (format.probe().unwrap(), format.load().unwrap());
    let layers = ["conv4", "maxpool", "fc3"].map(|layer| layer.parse().unwrap()).to_vec();
    let net = Architecture::new(layers, info.shape, info.classes).unwrap();
    let data =
        Data { format, validation: 12, scoring: 0, normalisation: Normalisation::Measured, info };
    let device = burn::tensor::Device::flex();
    let view = |split| View::new(&dataset, &data, split, &device).unwrap();
    let (images, evaluation) = (view(Split::Train), view(Split::Validation));
    let (lr, betas, epsilon, weight_decay) = (0.01, [0.9, 0.999], 1e-8, 0.01);
    let adam = Adam { lr, betas, epsilon, weight_decay };
    let adamw = AdamW { lr, betas, epsilon, weight_decay };
    let sgd = |momentum| Sgd { lr: 0.02, momentum, nesterov: false, weight_decay: 1e-3 }.into();
    for optimizer in [sgd(0.0), sgd(0.9), adam.into(), adamw.into()] {
        let recipe = Recipe {
            epochs: 5,
            batch_size: 16,
            optimizer,
            schedule: Cosine { min: 0.0 }.into(),
            warmup: 1,
            augment: Vec::new(),
            select: Select::BestValidation,
            batchnorm_weight: BatchnormWeight::Ones,
            precision: Precision::F32,
        };
        let (objective, evaluation) = (Objective::Labels(&CrossEntropy {}), Some(&evaluation));
        let training = Training {
            net: &net,
            recipe: &recipe,
            objective,
            seed: 3,
            kernels: Kernels::Takd,
            train: &images,
            evaluation,
            until: None,
            on_collapse: OnCollapse::Warn,
        };
        let whole = train(&training, &device, &tiny::Never, &mut |_, _| {}).unwrap();
        // A file has its tensors in another order.
        let sorted = |weights: &[NamedTensor]| {
            let mut weights = weights.to_vec();
            weights.sort_by(|a, b| a.name.cmp(&b.name));
            weights
        };
        let mut keeper = Keeper::default();
        resume(&training, &device, None, &mut keeper).unwrap();
        assert_eq!((keeper.asked, keeper.kept.len()), (20, 25), "four steps in each epoch");
        let mut stopped = Keeper { stop: Some(7), ..Keeper::default() };
        let error = resume(&training, &device, None, &mut stopped).err();
        assert!(matches!(error, Some(LearnError::Stopped)));
        assert_eq!(stopped.kept, keeper.kept[..8], "a stop leaves a checkpoint too");
        for (place, kept) in keeper.kept.iter().enumerate() {
            let from = read_checkpoint(kept).unwrap();
            let TrainingState { steps, within, .. } = from.state;
            let mut rest = Keeper::default();
            let again = resume(&training, &device, Some(from), &mut rest).unwrap();
            assert_eq!(rest.asked, 20 - steps as usize, "{:?} {within:?}", recipe.optimizer);
            let same = sorted(&again.weights) == sorted(&whole.weights);
            assert!(same, "{:?} from checkpoint {place}, {within:?}", recipe.optimizer);
            assert_eq!((again.history, again.selected), (whole.history.clone(), whole.selected));
        }
        // A stop in an epoch's evaluation loses none of its steps.
        let mut stopped = Keeper { stop_evaluation: Some(3), ..Keeper::default() };
        let error = resume(&training, &device, None, &mut stopped).err();
        assert!(matches!(error, Some(LearnError::Stopped)));
        let from = read_checkpoint(stopped.kept.last().unwrap()).unwrap();
        assert_eq!((from.state.steps, from.state.history.len()), (12, 2));
        let mut rest = Keeper::default();
        let again = resume(&training, &device, Some(from), &mut rest).unwrap();
        assert_eq!((rest.asked, rest.evaluated), (8, 3), "two epochs, three evaluations");
        assert!(sorted(&again.weights) == sorted(&whole.weights), "{:?}", recipe.optimizer);
        assert_eq!((again.history, again.selected), (whole.history.clone(), whole.selected));
        // What is of another training is refused, not trained on.
        let mut other = read_checkpoint(&keeper.kept[24]).unwrap();
        other.best.pop();
        let error = resume(&training, &device, Some(other), &mut Keeper::default()).err();
        assert!(matches!(error, Some(LearnError::Checkpoint(_))));
    }
}

/// Takes a second, and leaves checkpoints as often as their cost allows.
const ARGS: [&str; 7] =
    ["run", "tiny.toml", "takd", "--set", "recipe.short.epochs=80", "--checkpoint-every", "0"];

fn spawn(workspace: &Workspace) -> Running {
    let mut command = workspace.command(&ARGS);
    Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

/// The cache's checkpoints, without those that are being written.
pub fn checkpoints(workspace: &Workspace) -> Vec<PathBuf> {
    let files = fs::read_dir(workspace.path("cache/checkpoints")).into_iter().flatten();
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_none()).collect()
}

/// Waits until a training has left a checkpoint; false if the run ended first.
pub fn wait_for_checkpoint(workspace: &Workspace, child: &mut Running) -> bool {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if !checkpoints(workspace).is_empty() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
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
    whole.ok(&ARGS);
    let killed = workspace();
    for extra in [5, 60, 20] {
        let mut child = spawn(&killed);
        if !wait_for_checkpoint(&killed, &mut child) {
            break;
        }
        std::thread::sleep(Duration::from_millis(extra));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(!checkpoints(&killed).is_empty(), "at least one kill came before the end");
    assert_planned(&killed);
    let output = killed.takd(&ARGS);
    assert!(output.code == 0 && output.stderr.contains("resuming after "), "{output:?}");
    assert!(whole.entry_files("cache") == killed.entry_files("cache"), "some file differs");
    assert!(checkpoints(&killed).is_empty(), "an entry needs no checkpoint any more");
    assert!(killed.ok(&["cache", "verify"]).ends_with("0 damaged\n"));
}

/// `plan` and `why` say at which epoch each step with a checkpoint resumes, and of no other.
fn assert_planned(workspace: &Workspace) {
    let left: Vec<(String, usize)> = checkpoints(workspace)
        .iter()
        .filter_map(|path| {
            let bytes = fs::read(path).unwrap();
            // Two lines stand before it; a teacher's logits are no checkpoint.
            let content = bytes.splitn(3, |&byte| byte == b'\n').nth(2).unwrap();
            let state = read_checkpoint(content).ok()?.state;
            let key = path.file_name().unwrap().to_str().unwrap().to_owned();
            Some((key, state.history.len() + 1))
        })
        .collect();
    assert!(!left.is_empty());
    let plan = workspace.ok(&[&["plan", "tiny.toml", "takd"], &ARGS[3..5]].concat());
    let json = workspace.ok(&[&["plan", "tiny.toml", "takd", "--json"], &ARGS[3..5]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for step in json["steps"].as_array().unwrap() {
        let (key, name) = (step["key"].as_str().unwrap(), step["nodes"][0].as_str().unwrap());
        let epoch = left.iter().find(|(left, _)| left == key).map(|(_, epoch)| *epoch as u64);
        assert_eq!(step["resumes_at_epoch"].as_u64(), epoch, "{name}");
        let line = plan.lines().find(|line| line.contains(&key[..12])).unwrap();
        let why = workspace.ok(&[&["why", "tiny.toml", name], &ARGS[3..5]].concat());
        match epoch {
            Some(epoch) => {
                assert!(line.ends_with(&format!("; resumes at epoch {epoch}")), "{line}");
                assert!(why.contains(&format!("resumes at epoch {epoch}, from a")), "{why}");
            }
            None => assert!(!line.contains("resumes") && !why.contains("resumes"), "{line}"),
        }
    }
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
    let output = workspace.takd(&ARGS);
    assert!(output.code == 0 && output.stderr.contains("checkpoint is damaged"), "{output:?}");
    // gc keeps checkpoints of what its pipelines reach, and removes others.
    let lost = workspace.path("cache/checkpoints").join("ab".repeat(32));
    fs::write(&lost, "x").unwrap();
    assert!(workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]).contains("checkpoints"));
    assert!(!lost.exists());
}
