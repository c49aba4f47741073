//! A damaged entry is found, set aside, and made again; a whole one is all or nothing.

use crate::{
    keys::parse,
    locks::lock,
    workspace::{PIPELINE, Workspace, key},
};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};
use takd::{
    graph::Graph,
    key::{Key, keys},
    metric::Metrics,
    store::{Depth, Lock, Lookup, Outcome, Provenance, Staging, Store, StoreError},
};

/// A trained workspace with one seed.
fn trained() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", PIPELINE.replace("seeds = [20, 31]", "seeds = [20]"));
    workspace.run(&["tiny.toml"]);
    workspace
}

/// The entry that the task made.
fn entry_of(workspace: &Workspace, task: &str) -> PathBuf {
    let result = workspace.run(&["tiny.toml"]);
    workspace.path("cache/entries").join(key(&result, task))
}

fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    let place = place % bytes.len();
    bytes[place] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// The damage is found by `verify`, and the next run sets the entry aside and makes `again`.
fn assert_mended(workspace: &Workspace, what: &str, again: &[&str]) {
    let found = workspace.takd(&["cache", "verify"]);
    assert_eq!(found.code, 1, "{what}: {found:?}");
    let output = workspace.takd(&["run", "tiny.toml", "--json"]);
    assert_eq!(output.code, 0, "{what}: {output:?}");
    assert!(output.stderr.contains("set aside"), "{what}: {output:?}");
    let result: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let steps = result["steps"].as_array().unwrap().iter();
    let made: Vec<&str> = steps
        .filter(|step| step["status"] == "done")
        .map(|s| s["nodes"][0].as_str().unwrap())
        .collect();
    assert_eq!(made, again, "{what}");
    assert_eq!(workspace.takd(&["cache", "verify"]).code, 0, "{what}");
}

#[test]
fn any_damage_is_found_and_mended_with_the_same_bits() {
    let workspace = trained();
    let whole = workspace.entry_files("cache");
    let network = entry_of(&workspace, "assistant@20");
    for name in ["weights.safetensors", "metrics.jsonl", "manifest.json", "manifest.blake3"] {
        for place in [0, 7, 1 << 20] {
            flip(&network.join(name), place);
            assert_mended(&workspace, &format!("{name} at {place}"), &["assistant@20"]);
        }
        let file = fs::OpenOptions::new().write(true).open(network.join(name)).unwrap();
        file.set_len(5).unwrap();
        assert_mended(&workspace, &format!("{name} cut"), &["assistant@20"]);
        fs::remove_file(network.join(name)).unwrap();
        assert_mended(&workspace, &format!("{name} gone"), &["assistant@20"]);
    }
    flip(&entry_of(&workspace, "test/takd@20").join("manifest.json"), 99);
    assert_mended(&workspace, "an eval", &["test/takd@20"]);
    assert_eq!(whole, workspace.entry_files("cache"));
    let aside = fs::read_dir(workspace.path("cache/damaged")).unwrap().count();
    assert_eq!(aside, 21, "set aside, not deleted");
}

#[test]
fn no_number_that_json_lacks_gets_into_a_manifest() {
    let workspace = trained();
    let store = Store::new(workspace.path("cache"));
    let entry = entry_of(&workspace, "test/takd@20");
    let key: Key = entry.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let Lookup::Whole(entry) = store.find(&key, Depth::Content).unwrap() else { panic!() };
    let manifest = entry.manifest;
    let Outcome::Metrics { metrics, seconds } = &manifest.outcome else { panic!() };
    let lock = store.lock(&key, &mut || true).unwrap().unwrap();
    for value in [f64::NAN, f64::INFINITY] {
        let wrong = [
            Outcome::Metrics {
                metrics: Metrics::of(&[("top1", 0.5), ("loss", value)], 24),
                seconds: *seconds,
            },
            Outcome::Metrics { metrics: metrics.clone(), seconds: value },
        ];
        for outcome in wrong {
            let staging = Staging::new(&store, &lock).unwrap();
            let error =
                staging.commit(manifest.inputs.clone(), outcome, manifest.provenance.clone());
            let error = error.unwrap_err().to_string();
            assert!(error.ends_with("a number in it is NaN or infinite"), "{error}");
            let Lookup::Whole(now) = store.find(&key, Depth::Content).unwrap() else { panic!() };
            assert_eq!(now.manifest, manifest, "the place holds what it held");
        }
    }
}

#[test]
fn swapped_entries_are_found() {
    let workspace = trained();
    let [one, two] = ["nokd@20", "blkd@20"].map(|task| entry_of(&workspace, task));
    let between = workspace.path("between");
    fs::rename(&one, &between).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&between, &two).unwrap();
    assert_mended(&workspace, "swapped", &["nokd@20", "blkd@20"]);
}

#[test]
fn damaged_logits_are_made_again_when_they_are_needed() {
    let workspace = trained();
    let logits = fs::read_dir(workspace.path("cache/entries")).unwrap().map(|e| e.unwrap().path());
    let logits: Vec<PathBuf> =
        logits.filter(|path| path.join("logits.safetensors").exists()).collect();
    assert_eq!(logits.len(), 2, "teacher's and assistant's");
    logits.iter().for_each(|entry| flip(&entry.join("logits.safetensors"), 1000));
    let whole = workspace.entry_files("cache");
    let output = workspace.takd(&["run", "tiny.toml", "--force", "takd", "--force", "blkd"]);
    assert!(output.code == 0 && output.stderr.matches("set aside").count() == 2, "{output:?}");
    assert!(whole != workspace.entry_files("cache"));
    assert_eq!(workspace.takd(&["cache", "verify"]).code, 0);
}

#[test]
fn gc_keeps_what_pipelines_reach() {
    let workspace = trained();
    let keep = workspace.entry_files("cache");
    workspace.run(&["tiny.toml", "--set", "recipe.short.epochs=1"]);
    let with_more = workspace.entry_files("cache");
    assert!(with_more.len() > keep.len());
    let dry = workspace.ok(&["cache", "gc", "tiny.toml", "--dry-run"]);
    assert!(dry.contains("would free"), "{dry}");
    assert_eq!(with_more, workspace.entry_files("cache"), "a dry run removes nothing");
    let wet = workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]);
    assert_eq!(dry.replace("would remove", "removed").replace("would free", "freed"), wet);
    assert_eq!(keep, workspace.entry_files("cache"));
    assert_eq!(workspace.trained(&["tiny.toml"]), [""; 0]);
    assert_eq!(workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]), "freed 0 B in 0 folders\n");
}

fn some_keys() -> Vec<(takd::key::KeyInputs, Key)> {
    let pipeline = parse(PIPELINE);
    keys(&Graph::new(&pipeline))
}

pub fn outcome() -> Outcome {
    Outcome::Logits { samples: 0, seconds: 0.0 }
}

pub fn provenance() -> Provenance {
    let text = String::new();
    let (takd, burn, device, host, node) =
        (text.clone(), text.clone(), text.clone(), text.clone(), text);
    let (cpu, on_collapse) = (None, None);
    Provenance { takd, burn, device, cpu, threads: 1, host, finished: 0, node, on_collapse }
}

#[test]
fn an_entry_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("päth with spaces"));
    let (inputs, key) = some_keys().swap_remove(0);
    let lock = lock(&store, &key);
    let mut staging = Staging::new(&store, &lock).unwrap();
    staging.write("file", b"content").unwrap();
    assert!(matches!(store.find(&key, Depth::Content).unwrap(), Lookup::Missing));
    drop(staging);
    assert_eq!(fs::read_dir(store.root().join("staging")).unwrap().count(), 0, "leaves nothing");
    let mut staging = Staging::new(&store, &lock).unwrap();
    staging.write("file", b"content").unwrap();
    staging.commit(inputs, outcome(), provenance()).unwrap();
    let Lookup::Whole(entry) = store.find(&key, Depth::Content).unwrap() else { panic!("whole") };
    assert_eq!((entry.read("file").unwrap(), entry.bytes()), (b"content".to_vec(), 7));
    assert_eq!(store.keys().unwrap(), [key]);
}

#[test]
fn a_key_has_one_holder_and_gc_waits_for_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (_, key) = some_keys().swap_remove(0);
    let held = lock(&store, &key);
    assert!(store.lock(&key, &mut || false).unwrap().is_none());
    let Lock::Held(holder) = store.try_lock(&key).unwrap() else { panic!("it is held") };
    assert_eq!(holder.unwrap().pid, std::process::id());
    drop(held);
    drop(lock(&store, &key));

    let (entered, refusal) = store.enter();
    assert!(refusal.is_none());
    assert!(matches!(store.gc(&HashSet::new(), true), Err(StoreError::InUse(_))));
    drop(entered);
    assert!(store.gc(&HashSet::new(), true).is_ok());
    let reading = store.visit();
    assert!(matches!(store.gc(&HashSet::new(), true), Err(StoreError::InUse(_))));
    drop(reading);
}
