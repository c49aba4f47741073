//! Where the system does not rename folders (overlay file systems, two mounts), entries are replaced,
//! set aside and removed all the same, and whatever a killed process leaves is put right.
//!
//! `kill_calls` kills at any call on an overlay and on two mounts; here calls fail as they do there.

use crate::{
    disk_errors::{injected, may_trace},
    locks::lock,
    workspace::{PIPELINE, Workspace, key},
};
use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};
use takd::{
    key::Key,
    store::{Depth, Lookup, Store},
};

/// A workspace with one trained student.
fn trained() -> (Workspace, Key) {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", PIPELINE.replace("[20, 31]", "[20]"));
    let result = workspace.run(&["tiny.toml", "nokd"]);
    let key = key(&result, "nokd@20").parse().unwrap();
    (workspace, key)
}

/// Names in folders of the cache.
fn names(workspace: &Workspace, folders: &[&str]) -> Vec<String> {
    let names = folders.iter().flat_map(|folder| {
        let folder = fs::read_dir(workspace.path("cache").join(folder));
        folder.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap())
    });
    names.collect()
}

#[test]
fn what_cannot_be_renamed_is_replaced_set_aside_and_removed() {
    if !may_trace() {
        return;
    }
    let (workspace, key) = trained();
    let whole = workspace.entry_files("cache");
    let entry = format!("cache/entries/{key}");
    // Only renames away from the entry's name are met.
    let inject = "rename:error=EXDEV";
    let forced = ["run", "tiny.toml", "nokd", "--force", "nokd"];
    let (output, hit) = injected(&workspace, &entry, inject, &forced);
    assert!(hit && output.code == 0, "{output:?}");
    assert!(workspace.entry_files("cache") == whole);
    assert_eq!(names(&workspace, &["entries"]), [key.to_string()]);
    assert_eq!(names(&workspace, &["staging", "damaged"]), [""; 0]);
    let weights = format!("{entry}/weights.safetensors");
    workspace.write(&weights, "spoilt");
    let run = ["run", "tiny.toml", "nokd"];
    let (output, hit) = injected(&workspace, &entry, inject, &run);
    assert!(hit && output.code == 0 && output.stderr.contains("set aside"), "{output:?}");
    assert!(workspace.entry_files("cache") == whole);
    assert_eq!(names(&workspace, &["entries"]), [key.to_string()]);
    let aside = workspace.path("cache/damaged").join(format!("{key}.1"));
    assert_eq!(fs::read(aside.join("weights.safetensors")).unwrap(), b"spoilt");
    assert!(aside.join("manifest.json").exists());
    workspace.write("other.toml", PIPELINE.replace("[20, 31]", "[77]"));
    let gc = ["cache", "gc", "other.toml", "--yes"];
    let (output, hit) = injected(&workspace, &entry, inject, &gc);
    assert!(hit && output.code == 0, "{output:?}");
    assert_eq!(names(&workspace, &["entries", "staging", "damaged"]), [""; 0]);
}

/// The states between the steps of a replacement that could not rename the old entry.
#[test]
fn a_kill_while_an_entry_is_removed_where_it_is_does_no_harm() {
    for half in [false, true] {
        for has_copy in [false, true] {
            for by_gc in [false, true] {
                let (workspace, key) = trained();
                let whole = workspace.entry_files("cache");
                let store = Store::new(workspace.path("cache"));
                let entry = workspace.path("cache/entries").join(key.to_string());
                let staging = workspace.path("cache/staging");
                if has_copy {
                    copy(&entry, &staging.join(format!("{key}.elsewhere.1.0.old")));
                }
                // Half of a copy that was begun before.
                let begun = staging.join(format!("{key}.elsewhere.1.1.old.elsewhere.1.2"));
                fs::create_dir_all(&begun).unwrap();
                fs::write(begun.join("manifest.json"), "{").unwrap();
                fs::write(entry.with_file_name(format!("{key}.removed")), "").unwrap();
                if half {
                    fs::remove_file(entry.join("manifest.json")).unwrap();
                }
                let at = format!("half {half}, copy {has_copy}, gc {by_gc}");
                let found = store.find(&key, Depth::Content).unwrap();
                assert!(matches!(found, Lookup::Missing), "{at}: {found:?}");
                if by_gc {
                    store.gc(&HashSet::from([key]), false).unwrap();
                    assert_eq!(names(&workspace, &["staging"]), [""; 0], "{at}");
                } else {
                    drop(lock(&store, &key));
                }
                let found = store.find(&key, Depth::Content).unwrap();
                assert_eq!(matches!(found, Lookup::Whole(_)), has_copy, "{at}: {found:?}");
                assert_eq!(matches!(found, Lookup::Missing), !has_copy, "{at}: {found:?}");
                let entries = names(&workspace, &["entries"]);
                assert_eq!(entries.len(), usize::from(has_copy), "{at}: {entries:?}");
                let output = workspace.takd(&["run", "tiny.toml", "nokd"]);
                assert_eq!(output.code, 0, "{at}: {output:?}");
                assert!(workspace.entry_files("cache") == whole, "{at}");
                assert_eq!(names(&workspace, &["damaged"]), [""; 0], "{at}");
            }
        }
    }
}

fn copy(from: &PathBuf, to: &PathBuf) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// In a container every process may be number 1 of a machine with the same name.
#[test]
fn what_a_dead_process_of_the_same_number_left_is_in_nobodys_way() {
    let (workspace, key) = trained();
    let store = Store::new(workspace.path("cache"));
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let writer = format!("{host}.{}", std::process::id());
    for number in 0..100 {
        for name in [format!("removed.{writer}.{number}"), format!("{key}.{writer}.{number}")] {
            let left = workspace.path("cache/staging").join(name);
            fs::create_dir_all(&left).unwrap();
            fs::write(left.join("weights.safetensors"), "half").unwrap();
        }
    }
    store.gc(&HashSet::new(), false).unwrap();
    assert_eq!(names(&workspace, &["entries", "staging"]), [""; 0]);
}

/// Other machines' leftovers are known by their age, since a lock may not reach them.
#[test]
fn what_another_machine_left_goes_when_it_is_old() {
    let (workspace, key) = trained();
    let store = Store::new(workspace.path("cache"));
    let left = |name: &str| workspace.path("cache/staging").join(format!("{key}.{name}"));
    for (name, age) in [("elsewhere.1.0", 7200), ("elsewhere.1.1", 60)] {
        fs::create_dir_all(left(name)).unwrap();
        let then = SystemTime::now() - Duration::from_secs(age);
        fs::File::open(left(name)).unwrap().set_modified(then).unwrap();
    }
    drop(lock(&store, &key));
    assert!(!left("elsewhere.1.0").exists() && left("elsewhere.1.1").exists());
}
