//! What helps people to begin: help on one screen, an example a command, completions, manual pages.

use crate::workspace::Workspace;
use std::{collections::BTreeSet, fmt::Write as _, fs};

/// Every command, its subcommands after it.
const COMMANDS: [&str; 31] = [
    "init",
    "check",
    "data",
    "data list",
    "data fetch",
    "data check",
    "nets",
    "devices",
    "plan",
    "why",
    "run",
    "status",
    "report",
    "diff",
    "graph",
    "export",
    "predict",
    "cache",
    "cache list",
    "cache show",
    "cache verify",
    "cache rm",
    "cache gc",
    "cache record",
    "cache recall",
    "cache push",
    "cache pull",
    "cache status",
    "schema",
    "completions",
    "man",
];

#[test]
fn help_fits_a_screen_and_groups_the_commands() {
    let workspace = Workspace::new();
    let help = workspace.ok(&["--help"]);
    assert!(help.lines().count() <= 24, "{help}");
    let widest = help.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{widest} columns: {help}");
    assert!(!help.contains("More "), "a command without a group: {help}");
    for command in COMMANDS.iter().filter(|command| !command.contains(' ')) {
        let found = help.lines().any(|line| line.get(9..).is_some_and(|l| l.starts_with(command)));
        assert!(found, "{command}: {help}");
    }
    insta::assert_snapshot!(help);
}

#[test]
fn the_help_of_each_command_has_an_example() {
    let workspace = Workspace::new();
    let mut all = String::new();
    for command in COMMANDS {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = workspace.ok(&args);
        let example = help.split("Example").nth(1).unwrap_or_else(|| panic!("{command}: {help}"));
        let shown = format!("  takd {}", command.split(' ').next().unwrap());
        assert!(example.contains(&shown), "{command}: {help}");
        write!(all, "$ takd {command} --help\n{help}\n").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_help_names_every_command_that_there_is() {
    // Completions are made from the commands themselves.
    let completed = completed(&Workspace::new(), &[""]);
    let own: BTreeSet<&str> =
        completed.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let listed = COMMANDS.iter().filter(|command| !command.contains(' ')).copied().collect();
    assert_eq!(own, listed);
}

/// What a shell offers after these words, the last of which has been begun.
fn completed(workspace: &Workspace, words: &[&str]) -> Vec<String> {
    let mut command = workspace.command(&[&["--", "takd"], words].concat());
    let output = command.env("COMPLETE", "fish").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

#[test]
fn nodes_are_completed_from_the_pipeline_on_the_command_line() {
    let workspace = Workspace::new();
    for words in [&["run", "tiny.toml", "t"][..], &["plan", "tiny.toml", "t"]] {
        let nodes = completed(&workspace, words);
        for node in ["teacher", "takd", "test/nokd"] {
            assert!(nodes.iter().any(|word| word == node), "{node}: {nodes:?}");
        }
        assert!(!nodes.iter().any(|word| word == "nokd"), "{nodes:?}");
    }
    let forced = completed(&workspace, &["run", "tiny.toml", "--force", "as"]);
    assert_eq!(forced, ["assistant"]);
    assert!(completed(&workspace, &["cache", "v"]).contains(&"verify".to_owned()));
    assert!(
        completed(&workspace, &["run", "tiny.toml", "--keep"]).contains(&"--keep-going".to_owned())
    );
    for command in ["export", "predict"] {
        assert_eq!(
            completed(&workspace, &[command, "tiny.toml", "as"]),
            ["assistant@20", "assistant@31"]
        );
        assert!(completed(&workspace, &[command, "tiny.toml", "test/"]).is_empty(), "no network");
    }
    let broken = completed(&workspace, &["run", "no-such.toml", "t"]);
    assert!(!broken.iter().any(|word| word == "teacher"), "{broken:?}");
}

#[test]
fn completions_are_written_for_each_shell() {
    let workspace = Workspace::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = workspace.ok(&["completions", shell]);
        assert!(script.contains("COMPLETE") && script.contains("takd"), "{shell}: {script}");
    }
    let output = workspace.takd(&["completions", "tcsh"]);
    assert_eq!(output.code, 2);
}

#[test]
fn each_command_has_a_manual_page() {
    let workspace = Workspace::new();
    let output = workspace.takd(&["man", "pages/man1"]);
    assert_eq!((output.code, &*output.stderr), (0, "pages/man1 holds 32 pages\n"));
    let files = fs::read_dir(workspace.path("pages/man1")).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut want: BTreeSet<String> =
        COMMANDS.iter().map(|command| format!("takd-{}.1", command.replace(' ', "-"))).collect();
    want.insert("takd.1".to_owned());
    assert_eq!(files, want);
    let page = fs::read_to_string(workspace.path("pages/man1/takd-run.1")).unwrap();
    assert!(page.contains(".SH SYNOPSIS") && page.contains("keep\\-going"), "{page}");
}

#[test]
fn the_schema_that_is_printed_is_the_one_in_the_repository() {
    let committed = include_str!("../../schema/takd.schema.json");
    assert_eq!(Workspace::new().ok(&["schema"]), committed);
}

#[test]
#[cfg(not(any(feature = "cuda", feature = "wgpu")))]
fn devices_says_what_is_here_and_how_to_get_more() {
    let text = Workspace::new().ok(&["devices"]);
    let threads = std::thread::available_parallelism().unwrap();
    let first = format!("cpu      {threads} threads  (what --device auto takes)\n");
    assert_eq!(
        text,
        first
            + "cuda     not in this build: cargo build --release --features cuda\n\
               wgpu     not in this build: cargo build --release --features wgpu\n"
    );
}

#[test]
fn nets_lists_every_built_in_network_with_its_size() {
    let workspace = Workspace::new();
    let text = workspace.ok(&["nets"]);
    assert_eq!(text.lines().count(), 2 + takd::network::BUILTIN.len(), "{text}");
    // He et al. 2016, table 6: 0.27 and 1.7 million; torchvision's ResNet-50 has 25,557,032.
    for (net, parameters) in [("resnet20 ", "272474"), ("imagenet-resnet50 ", "25557032")] {
        let line = text.lines().find(|line| line.starts_with(net)).unwrap();
        assert!(line.contains(parameters), "{line}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&workspace.ok(&["nets", "--json", "--classes", "7"])).unwrap();
    assert!(json.as_array().unwrap().iter().all(|net| net["classes"] == 7), "{json}");
}
