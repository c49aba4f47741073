//! A long pass over a data set ends within a batch when it is told to, and a teacher's logits go on
//! where they were, to the same bits.

use crate::{resume::checkpoints, running::Running, tiny, workspace::Workspace};
use std::{
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};
use takd::{
    architecture::Architecture,
    dataset::{Data, Format, Idx, Normalisation, Split, View},
    key::Key,
    network::Network,
    node::{
        Part, WEIGHTS, read_checkpoint, read_part, write_checkpoint, write_part, write_weights,
    },
    store::{Depth, KeyLock, Lookup, Store, StoredCheckpoint},
    training::{InferError, infer, infer_from},
};

/// Images of each split: some seconds for the teacher.
const MANY: usize = 10_000;

const PIPELINE: &str = r#"
name  = "passes"
seeds = [20]

[data.bars]
format = "idx"
path   = "many"

[recipe.short]
epochs     = 1
batch_size = 1000
optimizer  = { sgd = { lr = 0.05 } }

[net.large]
layers = ["conv100", "conv48", "fc3"]

[net.small]
layers = ["fc3"]

[train.teacher]
net     = "large"
data    = "bars"
weights = "weights.safetensors"

[distill.student]
net       = "small"
recipe    = "short"
teacher   = "teacher"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[eval.test]
of    = ["teacher"]
split = "test"
"#;

fn net(layers: &[&str]) -> Architecture {
    let layers = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    Architecture::new(layers, tiny::info().shape, tiny::CLASSES).unwrap()
}

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    tiny::write_many(&workspace.path("many"), MANY, MANY);
    let teacher =
        Network::init(&net(&["conv100", "conv48", "fc3"]), 1, &burn::tensor::Device::flex());
    workspace.write(WEIGHTS, write_weights(&teacher.save()).unwrap());
    workspace.write("passes.toml", PIPELINE);
    workspace
}

#[test]
fn a_pass_ends_before_any_batch_and_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    tiny::write_many(folder.path(), 620, 3);
    let format = Format::from(Idx(folder.path().to_owned()));
    let (info, dataset) = (format.probe().unwrap(), format.load().unwrap());
    let data =
        Data { format, validation: 0, scoring: 0, normalisation: Normalisation::Measured, info };
    let device = burn::tensor::Device::flex();
    let view = View::new(&dataset, &data, Split::Train, &device).unwrap();
    let net = Network::init(&net(&["conv4", "fc3"]), 1, &device);
    let whole = infer(&net, &view).unwrap();
    assert_eq!(whole.len(), 620 * tiny::CLASSES);
    // Three batches: 250, 250 and 120 images.
    for stop in 0..3 {
        let (mut asked, mut left) = (0, Vec::new());
        let mut go_on = |rows: &[f32]| {
            left = rows.to_vec();
            asked += 1;
            asked <= stop
        };
        let stopped = infer_from(&net, &view, tiny::CLASSES, Vec::new(), &mut go_on);
        assert!(matches!(stopped, Err(InferError::Stopped)));
        assert_eq!(left.len(), 250 * stop * tiny::CLASSES);
        let mut batches = 0;
        let mut count = |_: &[f32]| {
            batches += 1;
            true
        };
        let again = infer_from(&net, &view, tiny::CLASSES, left.clone(), &mut count).unwrap();
        assert!(again == whole && batches == 3 - stop, "from batch {stop}");
        // Rows past the last whole batch are of no use: a batch is the same in every pass.
        let ragged = whole[..left.len() + 7 * tiny::CLASSES + 1].to_vec();
        assert!(infer_from(&net, &view, tiny::CLASSES, ragged, &mut |_| true).unwrap() == whole);
    }
    let all = infer_from(&net, &view, tiny::CLASSES, whole.clone(), &mut |_| false);
    assert!(all.unwrap() == whole, "nothing is left to do");
}

/// A run with parts as often as their cost allows.
fn start(workspace: &Workspace, node: &str) -> Running {
    let args = ["run", "passes.toml", node, "--checkpoint-every", "0", "--jobs", "1"];
    let mut command = workspace.command(&args);
    Running::new(command.stdout(Stdio::null()).stderr(Stdio::piped()))
}

fn signal(run: &Running, signal: &str) {
    let kill = Command::new("kill").args([signal, &run.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// The only checkpoint, its key locked.
fn kept(workspace: &Workspace) -> Option<(Store, KeyLock, Vec<u8>)> {
    let [path] = checkpoints(workspace).try_into().ok()?;
    let key: Key = path.file_name()?.to_str()?.parse().ok()?;
    let store = Store::new(workspace.path("cache"));
    let lock = store.lock(&key, &mut || true).unwrap().unwrap();
    let StoredCheckpoint::Whole(bytes) = store.read_checkpoint(lock.key()).unwrap() else {
        panic!("damaged")
    };
    Some((store, lock, bytes))
}

fn part(workspace: &Workspace) -> Part {
    read_part(&kept(workspace).expect("a part").2).unwrap()
}

/// Waits until a run has written a checkpoint that is not `before`; what it is.
fn wait(workspace: &Workspace, run: &mut Running, before: &[u8]) {
    loop {
        let now = checkpoints(workspace).first().and_then(|path| fs::read(path).ok());
        if now.is_some_and(|now| now != before) {
            return;
        }
        assert!(run.try_wait().unwrap().is_none(), "it ended before");
        sleep(Duration::from_millis(2));
    }
}

fn seconds(workspace: &Workspace, key: &str) -> f64 {
    let store = Store::new(workspace.path("cache"));
    let found = store.find(&key.parse().unwrap(), Depth::Content).unwrap();
    let Lookup::Whole(entry) = found else { panic!("no entry") };
    entry.manifest.outcome.seconds()
}

#[test]
fn stopped_and_killed_logits_go_on_where_they_were() {
    let workspace = workspace();
    let mut run = start(&workspace, "student");
    wait(&workspace, &mut run, &[]);
    signal(&run, "-TERM");
    let output = run.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{told}");
    let first = part(&workspace);
    let done = first.ids.len();
    assert!((250..MANY).contains(&done) && first.seconds > 0.0, "{done}");
    let stopped =
        format!("student@20: stopped after {done} of {MANY} images of its teacher's logits");
    assert!(told.contains(&stopped), "{stopped}: {told}");

    // A part that is found to have taken long: what follows adds to it.
    let (store, lock, bytes) = kept(&workspace).unwrap();
    let longer = Part { seconds: 1000.0, ..read_part(&bytes).unwrap() };
    store.write_checkpoint(&lock, &write_part(&longer).unwrap()).unwrap();
    let key = lock.key().to_string();
    drop(lock);
    let before = fs::read(&checkpoints(&workspace)[0]).unwrap();
    let mut run = start(&workspace, "student");
    wait(&workspace, &mut run, &before);
    signal(&run, "-KILL");
    let told = String::from_utf8(run.output().unwrap().stderr).unwrap();
    let resumed = format!("resuming its teacher's logits from image {} of {MANY}", done + 1);
    assert!(told.contains(&resumed), "{resumed}: {told}");
    let second = part(&workspace);
    assert!(second.ids.len() > done && second.ids.starts_with(&first.ids), "it went on");
    assert!(second.values.starts_with(&first.values) && second.seconds > 1000.0);

    workspace.run(&["passes.toml", "student"]);
    assert!(seconds(&workspace, &key) > second.seconds, "the sum of all parts");
    assert!(checkpoints(&workspace).is_empty());
    workspace.run(&["passes.toml", "student", "--cache", "whole"]);
    assert!(workspace.entry_files("cache") == workspace.entry_files("whole"), "the same bits");
}

#[test]
fn a_part_of_something_else_is_not_gone_on_with() {
    let workspace = workspace();
    let mut run = start(&workspace, "student");
    wait(&workspace, &mut run, &[]);
    signal(&run, "-KILL");
    run.wait().unwrap();
    let (store, lock, bytes) = kept(&workspace).unwrap();
    let mut other = read_part(&bytes).unwrap();
    other.ids.swap(0, 1);
    store.write_checkpoint(&lock, &write_part(&other).unwrap()).unwrap();
    drop(lock);
    let output = workspace.takd(&["run", "passes.toml", "student"]);
    assert!(output.code == 0 && output.stderr.contains("they are computed again"), "{output:?}");
    workspace.run(&["passes.toml", "student", "--cache", "whole"]);
    assert!(workspace.entry_files("cache") == workspace.entry_files("whole"), "the same bits");
}

#[test]
fn an_evaluation_stops_within_a_batch() {
    let workspace = workspace();
    // The import is made; what runs is the evaluation, for some seconds.
    workspace.run(&["passes.toml", "teacher"]);
    let mut run = start(&workspace, "test/teacher@20");
    let progress = workspace.path("cache/progress");
    while fs::read_dir(&progress).map_or(0, Iterator::count) == 0 {
        assert!(run.try_wait().unwrap().is_none(), "it ended before");
        sleep(Duration::from_millis(2));
    }
    signal(&run, "-INT");
    let output = run.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("measured 0") && told.contains("stopped by Ctrl-C"), "{told}");
    // And nothing of it is in the way.
    workspace.run(&["passes.toml", "test/teacher@20"]);
}

#[test]
fn the_seconds_of_a_training_are_those_of_all_its_runs() {
    let workspace = Workspace::new();
    let args = ["run", "tiny.toml", "nokd@20", "--set", "recipe.short.epochs=2000"];
    let args = [&args[..], &["--checkpoint-every", "0"]].concat();
    let mut command = workspace.command(&args);
    let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait(&workspace, &mut run, &[]);
    signal(&run, "-KILL");
    run.wait().unwrap();
    let (store, lock, bytes) = kept(&workspace).unwrap();
    let mut checkpoint = read_checkpoint(&bytes).unwrap();
    assert!(checkpoint.state.seconds > 0.0);
    checkpoint.state.seconds = 1000.0;
    store.write_checkpoint(&lock, &write_checkpoint(&checkpoint).unwrap()).unwrap();
    let key = lock.key().to_string();
    drop(lock);
    let before = fs::read(&checkpoints(&workspace)[0]).unwrap();
    let mut command = workspace.command(&args);
    let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait(&workspace, &mut run, &before);
    signal(&run, "-TERM");
    assert_eq!(run.wait().unwrap().code(), Some(143));
    let second = read_checkpoint(&kept(&workspace).unwrap().2).unwrap().state.seconds;
    assert!(second > 1000.0);
    let output = workspace.takd(&args);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(seconds(&workspace, &key) > second, "the sum of all parts");
}
