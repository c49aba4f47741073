//! Small limits on files, threads and rights are errors with a message, and leave nothing half-written.

use crate::workspace::{Output, Workspace};
use std::{fs, path::Path, process::Command};

/// A script with `$TAKD` in it, in the workspace.
fn shell(workspace: &Workspace, script: &str) -> Output {
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(workspace.path(""));
    command.env("TAKD", env!("CARGO_BIN_EXE_takd")).env("NO_COLOR", "1");
    let output = command.env_remove("TAKD_CACHE").env_remove("TAKD_DATA").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or(-1);
    Output { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// All files below a folder but locks and what is told of running nodes.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.display().to_string();
            match path.is_dir() {
                true if !name.ends_with("locks") && !name.ends_with("progress") => open.push(path),
                true => {}
                false => found.push(name),
            }
        }
    }
    found
}

#[test]
fn a_limit_on_file_sizes_is_an_error_that_leaves_what_was_there() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml"]);
    workspace.write("r.html", "as it was");
    let before = files(&workspace.path(""));
    for command in [
        "export tiny.toml nokd@20 -o w.safetensors",
        "report tiny.toml --format html -o r.html",
        "man man",
    ] {
        let output = shell(&workspace, &format!("ulimit -f 1; exec $TAKD {command} > /dev/null"));
        assert_eq!(output.code, 4, "{command}: {output:?}");
        assert!(output.stderr.contains("File too large"), "{command}: {output:?}");
    }
    assert_eq!(fs::read(workspace.path("r.html")).unwrap(), b"as it was");
    assert_eq!(files(&workspace.path("")), before);
    let output = shell(&workspace, "ulimit -f 1; exec $TAKD run tiny.toml --cache new > /dev/null");
    assert_eq!(output.code, 4, "{output:?}");
    assert!(output.stderr.contains("File too large"), "{output:?}");
    assert_eq!(files(&workspace.path("new")), Vec::<String>::new());
    // What a limit has stopped goes on without it.
    workspace.run(&["tiny.toml", "--cache", "new"]);
}

#[test]
fn results_that_cannot_be_printed_are_an_error() {
    let workspace = Workspace::new();
    for command in ["plan tiny.toml", "report tiny.toml", "schema", "completions bash"] {
        let output = shell(&workspace, &format!("exec $TAKD {command} > /dev/full"));
        assert_eq!(output.code, 4, "{command}: {output:?}");
        assert!(output.stderr.contains("No space left"), "{command}: {output:?}");
    }
    let output = shell(&workspace, "exec $TAKD run tiny.toml 2> /dev/full");
    assert_eq!(output.code, 0, "what nobody can read stops nothing: {output:?}");
}

/// As another user than root, whom no limit binds; nothing where that cannot be.
fn as_nobody(workspace: &Workspace, script: &str) -> Option<Output> {
    let rights = Command::new("chmod").args(["-R", "a+rwX"]).arg(workspace.path("")).status();
    let user = "setpriv --reuid=4242 --regid=4242 --clear-groups";
    let may = rights.is_ok_and(|status| status.success())
        && shell(workspace, &format!("{user} test -x $TAKD -a -r tiny.toml")).code == 0;
    if !may {
        println!("skipped: no setpriv, or not root, or the binary is closed to others");
        return None;
    }
    Some(shell(workspace, &format!("exec {user} bash -c '{script}'")))
}

#[test]
fn a_limit_on_threads_is_no_panic() {
    let workspace = Workspace::new();
    let mut ends = Vec::new();
    for limit in [1, 2, 3, 4, 5, 6, 8, 12, 40] {
        let script =
            format!("ulimit -u {limit}; exec $TAKD run tiny.toml --cache c{limit} --jobs 3");
        let Some(output) = as_nobody(&workspace, &script) else { return };
        assert!(!output.stderr.contains("panicked"), "{limit}: {output:?}");
        assert!([0, 1].contains(&output.code), "{limit}: {output:?}");
        let told = output.code == 0 || output.stderr.contains("threads");
        assert!(told, "{limit}: {output:?}");
        ends.push(output.code);
    }
    assert_eq!(ends.last(), Some(&0));
    for limit in [1, 2] {
        for command in ["plan tiny.toml", "check tiny.toml", "report tiny.toml", "cache list"] {
            let script = format!("ulimit -u {limit}; exec $TAKD {command}");
            let output = as_nobody(&workspace, &script).unwrap();
            assert_eq!(output.code, 0, "{command}: {output:?}");
        }
    }
}

#[test]
fn the_home_folder_may_be_named_where_no_shell_expands_it() {
    let workspace = Workspace::new();
    let home = workspace.path("home");
    let takd = |cache: &str, args: &[&str]| {
        let output = workspace.command(args).env("HOME", &home).env("TAKD_CACHE", cache).output();
        output.unwrap()
    };
    assert!(takd("~/cache", &["run", "-q", "tiny.toml", "nokd"]).status.success());
    assert!(home.join("cache/entries").is_dir() && !workspace.path("~").exists());
    let refused = takd("~other/cache", &["plan", "tiny.toml"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(2) && said.contains("`~other` is not expanded"),
        "{said}"
    );
    workspace.write(
        "home.toml",
        crate::workspace::PIPELINE.replace("\"bars\"\nvalid", "\"~/bars\"\nvalid"),
    );
    let output = workspace.takd(&["check", "home.toml"]);
    assert!(output.code == 3 && output.stderr.contains("`~` is not expanded"), "{output:?}");
}
