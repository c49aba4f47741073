//! What a run tells while it runs: lines, JSON events, records, and `takd status` from elsewhere.

use crate::{
    running::{EPOCHS, MINUTES, Running},
    workspace::{Output, PIPELINE, Workspace},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const PAGE: &str = include_str!("../../docs/events.md");

/// Names in backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The documented events, each with what its row names.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(event, rest)| (event.to_owned(), quoted(rest))).collect()
}

/// A run's stderr as objects, each of which the page describes.
fn events(output: &Output) -> Vec<Value> {
    let documented = documented();
    let lines = output.stderr.lines();
    let events: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for event in &events {
        let kind = event["event"].as_str().unwrap();
        let row = documented.get(kind).unwrap_or_else(|| panic!("{kind} is not documented"));
        assert!(event["time"].as_f64().unwrap() > 1.7e9);
        for field in event.as_object().unwrap().keys() {
            let known = row.contains(field) || field == "event" || field == "time";
            assert!(known, "{kind}: `{field}` is not documented");
        }
    }
    events
}

/// Kinds of events, notes left out: who waits for whom is chance.
fn kinds(events: &[Value]) -> BTreeSet<&str> {
    let kinds = events.iter().map(|event| event["event"].as_str().unwrap());
    kinds.filter(|kind| *kind != "note").collect()
}

const JSON: [&str; 4] = ["run", "tiny.toml", "--log-format", "json"];

#[test]
fn each_line_of_a_json_log_is_a_documented_event() {
    let workspace = Workspace::new();
    let events = events(&workspace.takd(&JSON));
    assert_eq!(kinds(&events), BTreeSet::from(["plan", "started", "epoch", "ended", "summary"]));
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    assert_eq!(of("plan")[0]["steps"].as_array().unwrap().len(), 20);
    // Five nodes with two seeds, two epochs each.
    assert_eq!((of("started").len(), of("ended").len(), of("epoch").len()), (20, 20, 20));
    let last = of("epoch").into_iter().find(|epoch| epoch["epoch"] == 2).unwrap();
    assert!(last["loss"].is_f64() && last["accuracy"].is_f64() && last["epochs"] == 2, "{last}");
    assert_eq!(last["node_seconds_left"], 0.0);
    assert!(of("ended").iter().all(|ended| ended["status"] == "done" && ended["seconds"].is_f64()));
    assert!(of("ended").iter().all(|ended| ended["accuracy"].is_f64()), "and how good it is");
    let summary = of("summary")[0];
    assert_eq!((&summary["trained"], &summary["reused"]), (&Value::from(10), &Value::from(0)));
    let spent: f64 = of("ended").iter().map(|ended| ended["seconds"].as_f64().unwrap()).sum();

    // The second run tells how much time the first has saved it.
    let again = self::events(&workspace.takd(&JSON));
    assert_eq!(kinds(&again), BTreeSet::from(["plan", "summary"]));
    let summary = again.last().unwrap();
    assert_eq!(summary["reused"], 20);
    let saved = summary["saved_seconds"].as_f64().unwrap();
    assert!((saved - spent).abs() < 1e-6, "{saved} of {spent}");
}

#[test]
fn failures_and_errors_are_events_too() {
    let workspace = Workspace::new();
    let hot = PIPELINE.replace("lr = 0.05", "lr = 1e30").replace("[20, 31]", "[20]");
    workspace.write("tiny.toml", hot);
    let events = events(&workspace.takd(&[&JSON[..], &["--keep-going"]].concat()));
    let status = |word| events.iter().find(|event| event["status"] == word).unwrap();
    assert!(status("failed")["error"].as_str().unwrap().contains("lower the learning rate"));
    assert!(status("blocked")["by"].as_str().unwrap().ends_with("@20"));

    workspace.write("tiny.toml", "[recipe.x]\nepoch = 1");
    let output = workspace.takd(&JSON);
    let wrong = self::events(&output);
    assert_eq!((wrong.len(), output.code), (1, 3), "{wrong:?}");
    assert_eq!((&wrong[0]["event"], &wrong[0]["exit_code"]), (&"error".into(), &3.into()));
    assert!(wrong[0]["message"].as_str().unwrap().contains("did you mean `epochs`?"));
}

#[test]
fn quiet_is_quiet_and_verbose_tells_every_epoch() {
    let workspace = Workspace::new();
    let quiet = workspace.takd(&["run", "tiny.toml", "--quiet", "nokd"]);
    assert_eq!((quiet.code, &*quiet.stderr), (0, ""));
    assert!(quiet.stdout.contains("nokd"), "the table is the result: {}", quiet.stdout);
    let verbose = workspace.takd(&["run", "tiny.toml", "-v", "--jobs", "1"]).stderr;
    for line in
        ["train nokd@20: reused, entry ", "teacher@20: epoch 1/2, ", "teacher@20: epoch 2/2, "]
    {
        assert!(verbose.contains(line), "{line}: {verbose}");
    }
    let hot = PIPELINE.replace("lr = 0.05", "lr = 1e30");
    workspace.write("tiny.toml", hot);
    let failed = workspace.takd(&["run", "tiny.toml", "-q", "teacher"]).stderr;
    assert!(failed.starts_with("train teacher@") && failed.contains(": failed: "), "{failed}");
    let both = workspace.takd(&["run", "tiny.toml", "-q", "-v"]);
    assert_eq!(both.code, 2);
}

#[test]
fn rust_log_is_heard() {
    let workspace = Workspace::new();
    let run = |args: &[&str]| {
        let output = workspace.command(args).env("RUST_LOG", "takd=debug").output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let lines = run(&["run", "tiny.toml", "nokd@20"]);
    assert!(lines.contains("\ndebug takd::node"), "{lines}");
    let stderr = run(&[&JSON[..], &["nokd@31"]].concat());
    let output = Output { code: 0, stdout: String::new(), stderr };
    let events = events(&output);
    let record = events.iter().find(|event| event["event"] == "record").unwrap();
    assert_eq!(record["level"], "debug");
}

#[test]
fn colours_are_as_the_user_wants_them() {
    let workspace = Workspace::new();
    workspace.write("wrong.toml", "nme = 1");
    let check = |name: &str, value: &str| {
        let mut command = workspace.command(&["check", "wrong.toml"]);
        let output = command.env_remove("NO_COLOR").env(name, value).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(check("CLICOLOR_FORCE", "1").contains('\u{1b}'));
    assert!(!check("NO_COLOR", "1").contains('\u{1b}'));
    let mut both = workspace.command(&["check", "wrong.toml"]);
    let output = both.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains('\u{1b}'));
}

/// Trains until it is ended.
const LONG: [&str; 3] = ["tiny.toml", "--set", MINUTES];

fn status(workspace: &Workspace) -> Value {
    let args = [&["status", "--json"], &LONG[..]].concat();
    serde_json::from_str(&workspace.ok(&args)).unwrap()
}

/// The status once `ready` holds for it.
fn wait(workspace: &Workspace, ready: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let status = status(workspace);
        if ready(&status) {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{status}");
        sleep(Duration::from_millis(20));
    }
}

fn begin(workspace: &Workspace) -> Running {
    let args = [&["run"], &LONG[..], &["nokd@20"]].concat();
    Running::new(workspace.command(&args).stdout(Stdio::null()).stderr(Stdio::null()))
}

#[test]
fn another_terminal_sees_which_nodes_run_and_how_far() {
    let workspace = Workspace::new();
    assert_eq!(status(&workspace)["nodes"], Value::Array(vec![]));
    let mut child = begin(&workspace);
    let seen = wait(&workspace, |status| status["nodes"][0]["reached"]["loss"].is_f64());
    let node = &seen["nodes"][0];
    assert_eq!((&node["node"], &node["running"]), (&"nokd@20".into(), &true.into()));
    assert_eq!(
        (&seen["done"], &seen["running"], &seen["to_go"]),
        (&0.into(), &1.into(), &19.into())
    );
    assert_eq!(node["pid"], child.id());
    assert_eq!(node["reached"]["epochs"], EPOCHS);
    let lines = workspace.ok(&[&["status"], &LONG[..]].concat());
    assert!(lines.starts_with("running train nokd@20, epoch "), "{lines}");
    assert!(lines.ends_with("tiny: 0 of 20 nodes done, 1 running, 19 to go\n"), "{lines}");

    // Without the same --set it is another node.
    let other = workspace.takd(&["status", "tiny.toml"]);
    assert!(other.stdout.starts_with("tiny: 0 of 20 nodes done, 0 running"), "{other:?}");
    assert!(other.stderr.starts_with("note: 1 node of other files"), "{other:?}");

    // A process that dies leaves word of how far it had come, and nobody takes it for a living one.
    child.kill().unwrap();
    child.wait().unwrap();
    let dead = wait(&workspace, |status| status["nodes"][0]["running"] == false);
    assert_eq!(dead["nodes"][0]["node"], "nokd@20");
    let lines = workspace.ok(&[&["status"], &LONG[..]].concat());
    assert!(lines.starts_with("stopped train nokd@20, epoch "), "{lines}");

    // So does one that was asked to stop.
    let mut child = begin(&workspace);
    wait(&workspace, |status| status["nodes"][0]["running"] == true);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    child.wait().unwrap();
    assert_eq!(status(&workspace)["nodes"][0]["running"], false);
}

#[test]
fn why_a_node_failed_is_told_later_too() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", PIPELINE.replace("lr = 0.05", "lr = 1e30"));
    let failed = workspace.takd(&["run", "tiny.toml", "nokd@20"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    let line = workspace.ok(&["status", "tiny.toml"]);
    assert!(line.starts_with("failed train nokd@20"), "{line}");
    assert!(
        line.contains("s ago in process ") && line.contains("lower the learning rate"),
        "{line}"
    );
    assert!(line.ends_with("\ntiny: 0 of 20 nodes done, 0 running, 20 to go\n"), "{line}");
    let json: Value =
        serde_json::from_str(&workspace.ok(&["status", "tiny.toml", "--json"])).unwrap();
    let failure = json["nodes"][0]["failure"].as_str().unwrap();
    assert!(failure.contains("lower the learning rate"), "{failure}");
    let page = workspace.ok(&["report", "tiny.toml", "--format", "html"]);
    assert!(page.contains("nokd, train small, 123 parameters, 1 of 2 failed"), "the page too");
}

#[test]
fn a_finished_run_leaves_no_progress_behind() {
    let workspace = Workspace::new();
    workspace.ok(&["run", "tiny.toml"]);
    let left = std::fs::read_dir(workspace.path("cache/progress")).unwrap().count();
    assert_eq!(left, 0);
    let lines = workspace.ok(&["status", "tiny.toml"]);
    assert_eq!(lines, "tiny: 20 of 20 nodes done, 0 running, 0 to go\n");
}
