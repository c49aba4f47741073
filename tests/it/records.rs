//! Results that outlive the cache that they were in.

use crate::workspace::Workspace;
use std::fs;

#[test]
fn tables_of_what_was_recorded_are_those_of_the_cache() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml"]);
    let table = workspace.ok(&["report", "tiny.toml"]);
    let said = workspace.ok(&["cache", "record", "tiny.toml", "-o", "saved.jsonl"]);
    assert!(said.ends_with("in saved.jsonl; the cache lacks 0\n"), "{said}");
    let saved = fs::read_to_string(workspace.path("saved.jsonl")).unwrap();
    assert!(saved.len() < 100_000 && !saved.contains("\"weights\":"), "{}", saved.len());

    fs::remove_dir_all(workspace.path("cache")).unwrap();
    let lines = saved.lines().count();
    let said = workspace.ok(&["cache", "recall", "saved.jsonl"]);
    assert_eq!(said, format!("recalled {lines} entries; 0 were known\n"));
    assert_eq!(workspace.ok(&["report", "tiny.toml"]), table);
    let said = workspace.ok(&["cache", "recall", "saved.jsonl"]);
    assert_eq!(said, format!("recalled 0 entries; {lines} were known\n"));
    workspace.ok(&["cache", "record", "tiny.toml", "-o", "again.jsonl"]);
    assert_eq!(fs::read_to_string(workspace.path("again.jsonl")).unwrap(), saved);
    // Nothing is made from a record: a run trains what is gone.
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("\n20 to run, 0 to reuse\n"), "{plan}");
}

#[test]
fn a_line_that_is_no_record_is_told_with_its_number() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml", "teacher"]);
    workspace.ok(&["cache", "record", "tiny.toml", "-o", "saved.jsonl"]);
    let saved = fs::read_to_string(workspace.path("saved.jsonl")).unwrap();
    let first = saved.lines().next().unwrap();
    for (line, problem) in [
        ("{}", "missing field `manifest`"),
        (&*first.replacen("\"bytes\":", "\"bites\":", 1), "missing field `bytes`"),
        ("\u{0}", "expected value"),
    ] {
        workspace.write("wrong.jsonl", format!("{first}\n{line}\n").into_bytes());
        let output = workspace.takd(&["cache", "recall", "wrong.jsonl"]);
        let told = &output.stderr;
        assert!(output.code == 1 || output.code == 2, "{output:?}");
        assert!(told.contains("line 2 of wrong.jsonl is no record of an entry"), "{told}");
        assert!(told.contains(problem), "{told}");
    }
}

#[test]
fn what_set_has_changed_is_meant_where_set_is_given() {
    let workspace = Workspace::new();
    let set = ["--set", "seeds=[7]"];
    workspace.ok(&["run", "tiny.toml", "teacher", set[0], set[1]]);
    let said = |command: &[&str]| workspace.ok(&[command, &set].concat());
    let reach = ["tiny.toml", "--node", "teacher"];
    let record = [&["cache", "record"], &reach[..], &["-o", "saved.jsonl"]].concat();
    assert!(said(&record).ends_with("; the cache lacks 0\n"));
    assert!(workspace.ok(&record).starts_with("recorded 0 entries"));
    let gc = ["cache", "gc", "tiny.toml", "--yes"];
    assert!(!said(&gc).contains("removed"));
    assert!(workspace.ok(&gc).contains(" teacher@7, made in "));
}
