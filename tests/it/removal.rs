//! `takd cache list`, `rm` and `gc`: what is there, and what goes, only when that is said.

use crate::workspace::{PIPELINE, Workspace};
use serde_json::Value;
use std::{
    fs::File,
    time::{Duration, SystemTime},
};

#[test]
fn entries_go_by_node_and_by_key_when_it_is_said() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml"]);
    let told = workspace.ok(&["cache", "rm", "teacher@20"]);
    assert!(told.contains("teacher@20, made in ") && told.contains("--yes removes them"), "{told}");
    assert!(told.contains("would remove 1 entry, which took"), "{told}");
    assert_eq!(workspace.trained(&["tiny.toml"]), [""; 0], "nothing has gone");
    let told = workspace.ok(&["cache", "rm", "teacher", "--yes"]);
    assert!(told.contains("removed 2 entries"), "{told}");
    // What learned from it is there, and so is all that it needs.
    assert_eq!(workspace.trained(&["tiny.toml"]), ["teacher@20", "teacher@31"]);
    let list = workspace.ok(&["cache", "list"]);
    let key = list.lines().find(|line| line.contains(" train    nokd@31 ")).unwrap();
    workspace.ok(&["cache", "rm", key.split(' ').next().unwrap(), "--yes"]);
    assert_eq!(workspace.trained(&["tiny.toml"]), ["nokd@31"]);
    let none = workspace.takd(&["cache", "rm", "techer"]);
    assert!(none.code == 2 && none.stderr.contains("`techer` is the start of no key"), "{none:?}");
}

#[test]
fn a_node_that_was_misspelt_is_guessed() {
    let workspace = Workspace::new();
    for (node, told) in [
        ("techer", "did you mean `teacher`?"),
        ("techer@20", "did you mean `teacher@20`?"),
        ("teacher@21", "`teacher` runs with the seeds 20, 31, not 21"),
        ("zebra", "`takd plan` lists them"),
    ] {
        let output = workspace.takd(&["run", "tiny.toml", node]);
        assert!(output.code == 2 && output.stderr.contains(told), "{node}: {output:?}");
    }
}

#[test]
fn a_list_tells_what_each_entry_is_and_who_uses_it() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml"]);
    workspace.write("other.toml", PIPELINE.replace("\"tiny\"", "\"other\""));
    let plain = workspace.ok(&["cache", "list"]);
    let teacher = |text: &str| -> String {
        let line = text.lines().find(|line| line.contains(" teacher@20 ")).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(teacher(&plain).contains("train teacher@20 conv6 … fc3 "), "{plain}");
    let named = workspace.ok(&["cache", "list", "tiny.toml", "other.toml"]);
    assert!(teacher(&named).contains("train teacher@20 large bars "), "{named}");
    assert!(teacher(&named).ends_with(" other, tiny"), "{named}");
    let rows = |sort: &str| -> Vec<Value> {
        let text = workspace.ok(&["cache", "list", "--sort", sort, "--json"]);
        serde_json::from_str(&text).unwrap()
    };
    let by_name = rows("name");
    let accuracy = |name: &str| {
        by_name.iter().find(|row| row["name"] == name).unwrap()["accuracy"].as_f64().unwrap()
    };
    assert_eq!(accuracy("teacher@20"), accuracy("test/teacher@20"), "of its test images");
    let sizes: Vec<u64> = rows("size").iter().map(|row| row["bytes"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[0] > 0, "{sizes:?}");
}

#[test]
fn a_list_tells_variants_of_a_node_apart() {
    let workspace = Workspace::new();
    let lambda = ["--set", "distill.blkd.objective.kd.lambda=0.7"];
    workspace.ok(&["run", "tiny.toml", "blkd@20"]);
    workspace.ok(&[&["run", "tiny.toml", "blkd@20"], &lambda[..]].concat());
    let list = workspace.ok(&["cache", "list"]);
    let of = |end: &str| list.lines().filter(|line| line.trim_end().ends_with(end)).count();
    assert_eq!((of(" lambda=0.5"), of(" lambda=0.7")), (1, 1), "{list}");
    let teacher = list.lines().find(|line| line.contains(" teacher@20 ")).unwrap();
    assert!(teacher.ends_with(" –"), "there is one of it: {list}");
}

#[test]
fn gc_takes_nothing_silently() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml"]);
    workspace.write("few.toml", PIPELINE.replace("seeds = [20, 31]", "seeds = [20]"));
    let told = workspace.takd(&["cache", "gc", "few.toml"]);
    assert!(told.stdout.contains("would remove ") && told.code == 0, "{told:?}");
    assert!(told.stdout.contains("teacher@31, made in "), "{told:?}");
    assert!(told.stdout.contains("; tiny.toml uses it\n"), "whose it is: {told:?}");
    assert!(told.stdout.contains(", which took ") && told.stderr.contains("--yes"), "{told:?}");
    assert_eq!(workspace.trained(&["tiny.toml"]), [""; 0], "nobody has said yes");
    let gone = workspace.ok(&["cache", "gc", "few.toml", "--yes"]);
    assert!(gone.contains("removed ") && gone.contains("freed "), "{gone}");
    assert_eq!(workspace.trained(&["tiny.toml"]).len(), 5, "those of the other seed");
}

#[test]
fn gc_by_age_takes_what_is_old_and_not_kept() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml"]);
    let gc = |more: &[&str]| {
        workspace.ok(&[&["cache", "gc", "--older-than", "30d", "--yes"], more].concat())
    };
    assert_eq!(gc(&[]), "freed 0 B in 0 folders\n", "nothing is that old");
    let then = SystemTime::now() - Duration::from_secs(31 * 24 * 3600);
    for entry in std::fs::read_dir(workspace.path("cache/entries")).unwrap() {
        let manifest =
            File::options().write(true).open(entry.unwrap().path().join("manifest.json"));
        manifest.unwrap().set_modified(then).unwrap();
    }
    assert_eq!(gc(&["--keep", "tiny.toml"]), "freed 0 B in 0 folders\n", "a pipeline uses it");
    assert!(gc(&[]).contains("teacher@20, made in "));
    assert_eq!(workspace.ok(&["cache", "list"]).lines().count(), 1);
    let wrong = workspace.takd(&["cache", "gc", "--older-than", "month"]);
    assert!(wrong.code == 2, "{wrong:?}");
}

#[test]
fn a_command_that_was_misspelt_is_guessed() {
    let workspace = Workspace::new();
    for (words, near) in [
        (&["rnu", "tiny.toml"][..], "'run'"),
        (&["reprot"], "'report'"),
        (&["cache", "lsit"], "'list'"),
        (&["data", "fecth"], "'fetch'"),
    ] {
        let output = workspace.takd(words);
        assert!(output.code == 2 && output.stderr.contains(near), "{words:?}: {output:?}");
    }
    let preset = workspace.takd(&["plan", "tiny.toml", "--preset", "quik"]);
    assert!(preset.code == 3 && preset.stderr.contains("no preset is named `quik`"), "{preset:?}");
}
