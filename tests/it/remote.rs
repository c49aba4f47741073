//! A remote lets machines share a cache. Each test's machines are workspaces with caches of their own and one folder.

use crate::{
    running::Running,
    workspace::{Workspace, key},
};
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

/// Machines, the first of which has the remote in its folder, and how it is called.
fn machines<const N: usize>() -> ([Workspace; N], String) {
    let machines = std::array::from_fn(|_| Workspace::new());
    let first: &Workspace = &machines[0];
    fs::create_dir(first.path("shared")).unwrap();
    let url = format!("file://{}", first.path("shared").display());
    (machines, url)
}

/// The objects in one of the remote's folders.
fn objects(machine: &Workspace, folder: &str) -> Vec<PathBuf> {
    let found = fs::read_dir(machine.path("shared").join(folder));
    let mut found: Vec<PathBuf> =
        found.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// The manifest of a task in the remote, and where it is.
fn manifest(machine: &Workspace, result: &Value, task: &str) -> (PathBuf, Value) {
    let path = machine.path(format!("shared/entries/{}.json", key(result, task)));
    let text = fs::read(&path).unwrap();
    (path, serde_json::from_slice(&text).unwrap())
}

fn names(cache: &Workspace) -> Vec<String> {
    let files = cache.entry_files("cache").into_iter();
    files.map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_one_machine_has_made_no_other_trains() {
    let ([first, second], url) = machines();
    let made = first.takd(&["run", "tiny.toml", "--remote", &url]);
    assert!(made.stderr.contains("trained 10, measured 10, reused 0"), "{}", made.stderr);
    // Entries of tasks, and the logits of two teachers with two seeds.
    assert!(made.stderr.contains("pushed 24 ("), "{}", made.stderr);
    assert_eq!((objects(&first, "entries").len(), objects(&first, "leases").len()), (24, 0));
    let run = ["run", "tiny.toml", "--remote", &url];
    let found = second.takd(&run);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(found.stderr.contains("trained 0, measured 0, reused 20"), "{}", found.stderr);
    assert_eq!(found.stdout, made.stdout);
    // Measurements have come, weights have not.
    assert_eq!(names(&second), ["answers.json"; 10]);
    assert_eq!(second.takd(&run).stdout, made.stdout);
    let dry = second.ok(&["run", "tiny.toml", "--dry-run", "--remote", &url]);
    assert!(!dry.contains("new"), "{dry}");
    // Without the remote they would be trained again, to the same bits.
    let pulled = second.ok(&["cache", "pull", "tiny.toml", "--remote", &url]);
    assert!(pulled.starts_with("pulled 14 entries"), "{pulled}");
    assert!(first.entry_files("cache") == second.entry_files("cache"));
    assert!(second.takd(&["run", "tiny.toml"]).stderr.contains("trained 0, measured 0, reused 20"));
    second.ok(&["cache", "verify"]);
}

#[test]
fn weights_come_when_a_step_reads_them_or_a_node_is_named() {
    let ([first, second, third], url) = machines();
    first.ok(&["run", "tiny.toml", "--remote", &url]);
    let other = "distill.takd.objective.kd.lambda=0.7";
    let set = ["tiny.toml", "takd", "--set", other, "--remote", &url];
    assert_eq!(second.trained(&set), ["takd@20", "takd@31"]);
    // The assistant has been asked already: its logits come in place of its weights.
    let names = names(&second);
    let count = |name: &str| names.iter().filter(|found| *found == name).count();
    assert_eq!((count("logits.safetensors"), count("weights.safetensors")), (2, 2), "{names:?}");
    third.ok(&["run", "tiny.toml", "nokd@20", "--remote", &url]);
    third.ok(&["export", "tiny.toml", "nokd@20", "-o", "student.safetensors"]);
    // What is new went there, too.
    assert!(third.trained(&set).is_empty());
}

#[test]
fn what_the_cache_has_is_pushed_and_counted() {
    let ([first, second], url) = machines();
    let line = |machine: &Workspace, line: usize| {
        let text = machine.ok(&["cache", "status", "tiny.toml", "--remote", &url]);
        let words = text.lines().nth(line).unwrap().split_whitespace().take(3);
        words.collect::<Vec<_>>().join(" ")
    };
    first.ok(&["run", "tiny.toml", "teacher@20"]);
    assert_eq!(line(&first, 1), "only here 1");
    let push = ["cache", "push", "tiny.toml", "--remote", &url];
    assert!(first.ok(&push).starts_with("pushed 1 entry, "));
    assert!(first.ok(&push).contains("pushed 0 entries, 0 B, to file://"));
    assert_eq!((&*line(&first, 0), &*line(&second, 2)), ("here and there", "only there 1"));
    // A run pushes also what an earlier one did not come to push.
    first.ok(&["run", "tiny.toml", "nokd@20"]);
    let told = first.takd(&["run", "tiny.toml", "nokd@20", "--remote", &url]).stderr;
    assert!(told.contains("reused 2") && told.contains("pushed 1 ("), "{told}");
    // What a pipeline does not reach stays.
    first.ok(&["run", "tiny.toml", "nokd@31", "--set", "recipe.short.epochs=1"]);
    assert!(first.ok(&push).contains("pushed 0 entries"));
    let env = first.command(&["cache", "status", "tiny.toml"]).env("TAKD_REMOTE", &url).output();
    assert!(env.unwrap().status.success());
}

#[test]
fn two_machines_at_once_make_each_key_once() {
    let (machines, url) = machines::<2>();
    let started = machines.each_ref().map(|machine| {
        let args = ["run", "tiny.toml", "--json", "--jobs", "2", "--remote", &url];
        let mut command = machine.command(&args);
        Running::new(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    });
    let results = started.map(|run| {
        let output = run.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    });
    for what in ["trained", "measured"] {
        let made: u64 = results.iter().map(|result| result[what].as_u64().unwrap()).sum();
        assert_eq!(made, 10, "{what}: {results:?}");
    }
    assert_eq!(
        results[0]["tables"][0]["rows"].to_string(),
        results[1]["tables"][0]["rows"].to_string()
    );
    assert!(objects(&machines[0], "leases").is_empty());
}

#[test]
fn a_search_goes_on_from_what_another_machine_has_tried() {
    let ([first, second], url) = machines();
    let search = "\n[search.s]\ntrials = 3\n[search.s.space.nokd]\n\
                  recipe.optimizer.sgd.lr = { from = 0.01, to = 0.2, log = true }\n";
    let text = crate::workspace::PIPELINE.replace("of    = [\"*\"]", "of = [\"nokd\", \"s/*\"]");
    for machine in [&first, &second] {
        machine.write("tiny.toml", format!("{text}{search}"));
    }
    let run = ["run", "tiny.toml", "--remote", &url];
    let made = first.takd(&run);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let found = second.takd(&run);
    assert!(found.stderr.contains("trained 0, measured 0"), "{}", found.stderr);
    assert_eq!(found.stdout, made.stdout);
}

#[test]
fn a_corrupt_object_is_named_and_made_again() {
    let ([first, second, third], url) = machines();
    let result = first.run(&["tiny.toml", "nokd@20", "--remote", &url]);
    let (_, said) = manifest(&first, &result, "nokd@20");
    let digest = said["files"]["weights.safetensors"]["blake3"].as_str().unwrap();
    let object = first.path("shared/files").join(digest);
    let whole = fs::read(&object).unwrap();
    let mut flipped = whole.clone();
    flipped[100] ^= 1;
    let pull = ["cache", "pull", "tiny.toml", "--remote", &url];
    for (wrong, problem) in
        [(&flipped[..], "is corrupt"), (&whole[1..], "has "), (b"", "has 0 bytes")]
    {
        fs::write(&object, wrong).unwrap();
        let output = second.takd(&pull);
        assert_eq!(output.code, 1, "{output:?}");
        let named = output.stderr.contains(digest) && output.stderr.contains(problem);
        assert!(named && output.stdout.starts_with("pulled 0 entries"), "{output:?}");
        assert!(!second.path("cache/entries").exists(), "nothing has come");
    }
    fs::remove_file(&object).unwrap();
    assert!(second.takd(&pull).stderr.contains("is not there, though an entry names it"));
    fs::write(&object, &flipped).unwrap();
    // A run that needs it makes it, and mends the remote.
    let told = second.takd(&["run", "tiny.toml", "nokd@20", "--remote", &url]);
    assert!(told.stderr.contains("is corrupt") && told.stderr.contains("trained 1"), "{told:?}");
    assert!(fs::read(&object).unwrap() == whole);
    assert!(third.ok(&pull).starts_with("pulled 1 entry"));
}

#[test]
fn a_hostile_manifest_is_refused_before_anything_is_written() {
    let ([first, second], url) = machines();
    let result = first.run(&["tiny.toml", "nokd@20", "teacher@20", "--remote", &url]);
    let (path, whole) = manifest(&first, &result, "nokd@20");
    let (_, other) = manifest(&first, &result, "teacher@20");
    let file = whole["files"]["weights.safetensors"].clone();
    let with = |name: &str, file: &Value| {
        let mut changed = whole.clone();
        changed["files"][name] = file.clone();
        changed
    };
    let resized = |bytes: u64| {
        let mut file = file.clone();
        file["bytes"] = bytes.into();
        with("weights.safetensors", &file)
    };
    let mut longer_key = whole.clone();
    longer_key["inputs"]["seed"] = 21.into();
    let mut newer = whole.clone();
    newer["inputs"]["version"] = 6.into();
    for (manifest, problem) in [
        (with("../x.json", &file), "names a file \"../x.json\""),
        (with("/tmp/x.json", &file), "names a file"),
        (with("..", &file), "names a file"),
        (with("x.pkl", &file), "names a file \"x.pkl\""),
        (with("manifest.json", &file), "names a file"),
        (resized(1 << 60), "too large"),
        (resized(3), "bytes, not the 3 of its entry"),
        (other, "holds the entry"),
        (longer_key, "holds the entry"),
        (newer, "key version 6"),
        (Value::from("?"), "cannot be read by this takd"),
    ] {
        fs::write(&path, manifest.to_string()).unwrap();
        let pull = ["cache", "pull", "tiny.toml", "--node", "nokd@20", "--remote", &url];
        let output = second.takd(&pull);
        assert_eq!(output.code, 1, "{problem}: {output:?}");
        assert!(output.stderr.contains(problem), "{problem}: {output:?}");
        assert!(!second.path("cache/entries").exists() && !second.path("cache/x.json").exists());
    }
    fs::write(&path, "[".repeat(5 << 20)).unwrap();
    let output = second.takd(&["cache", "pull", "tiny.toml", "--remote", &url]);
    assert!(output.stderr.contains("are the most"), "{output:?}");
    // A run says so and makes it itself.
    let told = second.takd(&["run", "tiny.toml", "nokd@20", "--remote", &url]);
    assert!(told.code == 0 && told.stderr.contains("trained 1"), "{told:?}");
}

#[test]
fn an_entry_is_there_with_its_manifest_or_not_at_all() {
    let ([first, second], url) = machines();
    let result = first.run(&["tiny.toml", "nokd@20", "--remote", &url]);
    // As a push leaves it that dies before its last object.
    fs::remove_file(manifest(&first, &result, "nokd@20").0).unwrap();
    let files = objects(&first, "files");
    assert!(second.ok(&["cache", "pull", "tiny.toml", "--remote", &url]).starts_with("pulled 0"));
    assert_eq!(second.trained(&["tiny.toml", "nokd@20", "--remote", &url]), ["nokd@20"]);
    // The second push found the files.
    assert_eq!((objects(&first, "files"), objects(&first, "entries").len()), (files, 1));
}

#[test]
fn other_bits_are_told_and_kept_apart() {
    let ([first, second], url) = machines();
    let result = first.run(&["tiny.toml", "nokd@20", "--remote", &url]);
    let again = ["run", "tiny.toml", "--force", "nokd@20", "nokd@20", "--remote", &url];
    let told = second.takd(&again).stderr;
    assert!(told.contains("1 were made elsewhere with the same bits"), "{told}");
    let (path, mut said) = manifest(&first, &result, "nokd@20");
    let history = b"{}";
    let digest = blake3::hash(history).to_hex().to_string();
    fs::write(first.path("shared/files").join(&digest), history).unwrap();
    said["files"]["metrics.jsonl"]["blake3"] = digest.into();
    said["files"]["metrics.jsonl"]["bytes"] = history.len().into();
    said["provenance"]["host"] = "elsewhere".into();
    fs::write(&path, said.to_string()).unwrap();
    let told = second.takd(&again).stderr;
    let differs = "the remote's entry differs in metrics.jsonl: ours was made by ";
    assert!(told.contains(differs) && told.contains("the remote's by elsewhere on cpu"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), said.to_string());
    let ours = second.entry_files("cache");
    assert!(ours == first.entry_files("cache"));
}

#[test]
fn a_step_waits_for_the_machine_that_has_its_lease() {
    let ([first, second], url) = machines();
    let result = second.run(&["tiny.toml", "nokd@20", "--dry-run"]);
    fs::create_dir(first.path("shared/leases")).unwrap();
    let lease = first.path("shared/leases").join(key(&result, "nokd@20"));
    let holder = r#"{"holder":{"host":"elsewhere","pid":7,"since":0},"id":"x","beat":1}"#;
    fs::write(&lease, holder).unwrap();
    let log = fs::File::create(second.path("log")).unwrap();
    let mut command = second.command(&["run", "tiny.toml", "nokd@20", "--remote", &url]);
    let run = Running::new(command.stdout(Stdio::null()).stderr(log));
    let told = || fs::read_to_string(second.path("log")).unwrap();
    let start = Instant::now();
    while !told().contains("waits for process 7 on elsewhere") {
        assert!(start.elapsed() < Duration::from_secs(60), "{}", told());
        sleep(Duration::from_millis(20));
    }
    // Its maker ends, and another one begins.
    fs::remove_file(&lease).unwrap();
    assert!(run.output().unwrap().status.success());
    assert!(told().contains("trained 1"), "{}", told());
    assert!(!lease.exists());
}

#[test]
fn a_remote_that_is_none_is_an_error_and_repeats_no_secret() {
    let workspace = Workspace::new();
    for (url, code, problem) in [
        ("s3://me:hush@papers/takd", 2, "credentials come from the environment"),
        ("az://papers/takd?sig=hush", 2, "credentials come from the environment"),
        ("http://papers/takd", 2, "expected s3://BUCKET/PREFIX"),
        ("file:///no/such/folder", 4, "create it, or correct the address"),
    ] {
        for command in [&["run", "tiny.toml"][..], &["cache", "status", "tiny.toml"]] {
            let output = workspace.takd(&[command, &["--remote", url]].concat());
            assert_eq!(output.code, code, "{output:?}");
            assert!(output.stderr.contains(problem), "{output:?}");
            assert!(!output.stderr.contains("hush"), "{output:?}");
            let command = &mut workspace.command(command);
            let output = command.env("TAKD_REMOTE", url).output().unwrap();
            assert_eq!(output.status.code(), Some(code));
            assert!(!String::from_utf8(output.stderr).unwrap().contains("hush"));
        }
    }
    assert!(!workspace.path("cache/entries").exists(), "nothing has run");
    let output = workspace.takd(&["cache", "push", "tiny.toml"]);
    assert!(output.code == 2 && output.stderr.contains("TAKD_REMOTE"), "{output:?}");
}
