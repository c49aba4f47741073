//! `takd cache rm`: entries go by key or by node, and only when that is said.

use crate::workspace::Workspace;

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
    let key = list.lines().find(|line| line.ends_with(" nokd@31")).unwrap();
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
