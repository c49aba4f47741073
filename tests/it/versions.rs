//! What another version of takd wrote is neither used nor harmed, and what this one wrote stays reachable.
//!
//! `tests/golden/caches` holds what each version made of the pipeline beside them, an entry of each kind.
//! Those of a new version: `takd run tests/golden/caches/pipeline.toml --cache DIR`, then `entries` of
//! DIR, with `host` in each manifest replaced by `golden`.

use crate::{
    locks::lock,
    workspace::{Workspace, key},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};
use takd::{
    executor::Status,
    graph::Graph,
    key::{KEY_VERSION, Key},
    plan::Plan,
    session::{Opening, RunOptions, Selection, Session, Watcher},
    store::{Depth, Lookup, Store, StoredCheckpoint},
};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/caches")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if from.is_dir() {
            copy(&from, &to.join(name));
        } else {
            fs::copy(from, to.join(name)).unwrap();
        }
    }
}

/// The golden pipeline with its data, and the cache that `version` made.
fn workspace(version: u32) -> Workspace {
    let workspace = Workspace::new();
    copy(&golden(), &workspace.path("golden"));
    fs::rename(workspace.path(format!("golden/{version}")), workspace.path("cache")).unwrap();
    workspace
}

#[test]
fn entries_of_the_version_before_are_left_alone() {
    let workspace = workspace(4);
    let old = workspace.entry_files("cache");
    let verify = workspace.takd(&["cache", "verify"]);
    assert_eq!(verify.code, 0, "{verify:?}");
    assert!(
        verify.stdout.ends_with("0 whole, 0 damaged, 5 of other takd versions\n"),
        "{verify:?}"
    );
    let list = workspace.ok(&["cache", "list"]);
    assert_eq!(list.matches("takd 0.1.0, key version 4").count(), 5, "{list}");
    let made = workspace.trained(&["golden/pipeline.toml"]);
    assert_eq!(made, ["trained@20", "known@20", "student@20"]);
    workspace.ok(&["report", "golden/pipeline.toml"]);
    workspace.ok(&["cache", "gc", "golden/pipeline.toml", "--yes"]);
    let kept = workspace.entry_files("cache");
    assert!(
        old.iter().all(|file| kept.contains(file)) && !workspace.path("cache/damaged").exists()
    );
    workspace.ok(&["cache", "gc", "golden/pipeline.toml", "--yes", "--other-versions"]);
    let left = workspace.entry_files("cache");
    assert!(left.len() + old.len() == kept.len() && !old.iter().any(|file| left.contains(file)));
}

/// Whatever fields are added later, at their defaults they change no key.
#[test]
fn entries_of_this_version_are_reached() {
    let workspace = workspace(KEY_VERSION);
    let store = Store::new(workspace.path("cache"));
    let mut kinds = Vec::new();
    for key in store.keys().unwrap() {
        let Lookup::Whole(entry) = store.find(&key, Depth::Content).unwrap() else {
            panic!("{key} is whole")
        };
        kinds.push(entry.manifest.inputs.kind.to_string());
    }
    kinds.sort();
    assert_eq!(kinds, ["distill", "eval", "import", "logits", "train"]);
    assert_eq!(workspace.run(&["golden/pipeline.toml"])["reused"], 4);
    assert_eq!(workspace.trained(&["golden/pipeline.toml"]), [""; 0]);
}

/// Rewrites the manifest of an entry, and the digest that vouches for it.
fn edit(entry: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = entry.join("manifest.json");
    let mut manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    let text = serde_json::to_vec(&manifest).unwrap();
    fs::write(entry.join("manifest.blake3"), format!("{}\n", blake3::hash(&text).to_hex()))
        .unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_manifest_with_unknown_fields_is_not_damaged() {
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd@20"]);
    let key: Key = key(&result, "nokd@20").parse().unwrap();
    let entry = workspace.path(format!("cache/entries/{key}"));
    let store = Store::new(workspace.path("cache"));
    // What only describes the making may grow: the entry is used.
    edit(&entry, |manifest| manifest["provenance"]["energy"] = 3.into());
    assert!(matches!(store.find(&key, Depth::Content).unwrap(), Lookup::Whole(_)));
    assert_eq!(workspace.trained(&["tiny.toml", "nokd@20"]), [""; 0]);
    // What decides the content may not be overlooked.
    edit(&entry, |manifest| manifest["inputs"]["recipe"]["dropout"] = 0.5.into());
    let there = fs::read(entry.join("manifest.json")).unwrap();
    let Lookup::OtherVersion(version) = store.find(&key, Depth::Content).unwrap() else {
        panic!("another version's")
    };
    assert!(version.contains("takd 0.1.0") && version.contains("dropout"), "{version}");
    let run = workspace.takd(&["run", "tiny.toml", "nokd@20"]);
    assert!(
        run.code == 4 && run.stderr.contains("was written by another version of takd"),
        "{run:?}"
    );
    assert!(run.stderr.contains("another --cache"), "{run:?}");
    assert!(fs::read(entry.join("manifest.json")).unwrap() == there);
    assert!(!workspace.path("cache/damaged").exists());
}

#[test]
fn a_checkpoint_of_another_key_is_set_aside() {
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml", "nokd"]);
    let [one, other] =
        ["nokd@20", "nokd@31"].map(|task| key(&result, task).parse::<Key>().unwrap());
    let store = Store::new(workspace.path("cache"));
    let lock = |key: &Key| lock(&store, key);
    store.write_checkpoint(&lock(&one), b"an hour's training").unwrap();
    fs::remove_dir_all(workspace.path(format!("cache/entries/{other}"))).unwrap();
    let [from, to] = [one, other].map(|key| workspace.path(format!("cache/checkpoints/{key}")));
    fs::rename(from, &to).unwrap();
    let there = fs::read(&to).unwrap();
    assert_eq!(store.read_checkpoint(&other).unwrap(), StoredCheckpoint::OtherKey(one));
    let output = workspace.takd(&["run", "tiny.toml", "nokd"]);
    let told = format!("its checkpoint belongs to the key {}; it is set aside in", one.short());
    assert!(output.code == 0 && output.stderr.contains(&told), "{output:?}");
    let aside = workspace.path(format!("cache/damaged/{other}.checkpoint.1"));
    assert!(fs::read(aside).unwrap() == there && !to.exists());
    // A flipped bit in the key itself is damage.
    store.write_checkpoint(&lock(&other), b"an hour's training").unwrap();
    let mut bytes = fs::read(&to).unwrap();
    bytes[70] ^= 1;
    fs::write(&to, bytes).unwrap();
    assert_eq!(store.read_checkpoint(&other).unwrap(), StoredCheckpoint::Damaged);
}

#[test]
fn another_test_image_trains_nothing_again() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "nokd@20", "test/nokd@20"]);
    let file = workspace.path("bars/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 0xff;
    fs::write(file, bytes).unwrap();
    let result = workspace.run(&["tiny.toml", "nokd@20", "test/nokd@20"]);
    assert_eq!((&result["trained"], &result["measured"]), (&0.into(), &1.into()), "{result}");
}

/// Does something between the planning and the first step of a run.
struct Meanwhile<F>(Mutex<Option<F>>);

impl<F: FnOnce()> Watcher for Meanwhile<F> {
    fn planned(&self, _: &Graph<'_>, _: &Plan) {
        self.0.lock().unwrap().take().unwrap()();
    }
}

/// What becomes of the first task of `text` where `change` happens after planning.
fn status(workspace: &Workspace, text: String, change: impl FnOnce()) -> Status {
    let opening = Opening::new(workspace.path("x.toml")).data(workspace.path("data"));
    let pipeline = opening.parse(text).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::new(pipeline, Store::new(workspace.path("cache")));
    let options = RunOptions { devices: "cpu".parse().unwrap(), ..RunOptions::default() };
    let first = Selection::of([session.graph().name(0)]);
    let outcome = session.run(&first, &options, &Meanwhile(Mutex::new(Some(change)))).unwrap();
    let status = outcome.statuses[0].clone();
    let stored = session.store.keys().unwrap();
    assert!(matches!(status, Status::Done(_)) != stored.is_empty(), "{status:?}");
    status
}

fn flip_last(path: PathBuf) {
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn data_that_changes_after_planning_is_an_error_of_the_node() {
    let pipeline = |head: &str| {
        let format = crate::workspace::PIPELINE.replace("format     = \"idx\"", head);
        format.replace("[20, 31]", "[20]")
    };
    let idx = || pipeline("format     = \"idx\"");
    let workspace = Workspace::new();
    let image = workspace.path("bars/train-images-idx3-ubyte");
    let Status::Failed(error) = status(&workspace, idx(), || flip_last(image)) else { panic!() };
    assert!(
        error.message.contains("the training images in ") && error.message.contains("run again"),
        "{error}"
    );
    // The test images have no say in a training.
    let image = workspace.path("bars/t10k-images-idx3-ubyte");
    assert!(matches!(status(&workspace, idx(), || flip_last(image)), Status::Done(_)));

    let workspace = Workspace::new();
    let record = [vec![0; 1 + 3072], vec![1; 1 + 3072], vec![2; 1 + 3072]].concat();
    fs::create_dir(workspace.path("cifar")).unwrap();
    for name in ["a.bin", "b.bin"] {
        workspace.write(&format!("cifar/{name}"), record.repeat(8));
    }
    let cifar = pipeline("format = \"cifar10\"\ntrain = [\"a.bin\"]\ntest = [\"b.bin\"]")
        .replace("\"bars\"\nvalidation", "\"cifar\"\nvalidation")
        .replace("fc3", "fc10");
    let Status::Failed(error) =
        status(&workspace, cifar, || flip_last(workspace.path("cifar/a.bin")))
    else {
        panic!()
    };
    assert!(error.message.contains("the training images in "), "{error}");
}

#[test]
fn weights_that_change_after_planning_are_an_error_of_the_node() {
    let workspace = workspace(KEY_VERSION);
    fs::remove_dir_all(workspace.path("cache")).unwrap();
    let text = fs::read_to_string(golden().join("pipeline.toml")).unwrap();
    let text = text.replace("\"data\"\nvalidation", "\"golden/data\"\nvalidation");
    let text = text.replace("known.safetensors", "golden/known.safetensors");
    let trained = text.find("[train.trained]").unwrap();
    let known = text.find("[train.known]").unwrap();
    let text = format!("{}{}", &text[..trained], &text[known..]);
    let weights = workspace.path("golden/known.safetensors");
    let Status::Failed(error) = status(&workspace, text, || flip_last(weights)) else { panic!() };
    assert!(
        error.message.contains("known.safetensors has changed")
            && error.message.contains("run again"),
        "{error}"
    );
}
