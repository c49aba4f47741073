//! Searches: trials are ordinary nodes, decided by what earlier ones scored and by nothing else.

use crate::workspace::{PIPELINE, Workspace};
use std::path::PathBuf;

/// `PIPELINE` with a search over two methods, and `more` in its table.
fn text(more: &str) -> String {
    let search = format!(
        "\n[table.all]\ncolumns = [\"net\", \"top1\", \"seeds\"]\n[search.fair]\n{more}\n[search.fair.space.nokd]\n\
         recipe.optimizer.sgd.lr = {{ from = 0.01, to = 0.2, log = true }}\n\
         [search.fair.space.takd]\nobjective.kd.temperature = [1, 2, 5, 10]\n\
         objective.kd.lambda = {{ from = 0.1, to = 1.0, step = 0.1 }}\n"
    );
    PIPELINE
        .replace("epochs     = 2", "epochs     = 4\nselect = \"last\"")
        .replace("of    = [\"*\"]", "of = [\"nokd\", \"fair/*\"]")
        + &search
}

fn with(text: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", text);
    workspace
}

/// The bytes of every file of weights, sorted.
fn weights(workspace: &Workspace) -> Vec<(PathBuf, Vec<u8>)> {
    let files = workspace.entry_files("cache").into_iter();
    files.filter(|(path, _)| path.ends_with("weights.safetensors")).collect()
}

#[test]
fn a_search_is_run_to_its_end_replayed_and_raised() {
    let workspace = with(&text("trials = 6\nstartup = 3\nbatch = 2"));
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let last = "search fair: nokd 6 trials, best ";
    assert!(output.stderr.contains(last), "{}", output.stderr);
    // The assistant is paid out of TAKD's own.
    assert!(output.stderr.contains("; takd 5 trials, best "), "{}", output.stderr);
    assert!(output.stdout.contains("fair/takd"), "{}", output.stdout);
    let again = workspace.takd(&["run", "tiny.toml"]);
    assert!(again.stderr.contains("trained 0, measured 0"), "{}", again.stderr);
    assert_eq!(again.stdout, output.stdout);
    assert_eq!(workspace.ok(&["report", "tiny.toml"]), output.stdout);
    // More trials keep those that are there.
    let before = weights(&workspace);
    let trained = workspace.trained(&["tiny.toml", "--set", "search.fair.trials=8"]);
    let names = |node: &str| trained.iter().filter(|name| name.starts_with(node)).count();
    // A point of the coarser space may come again, and is trained once.
    assert!(names("fair/nokd/") == 2 && (1..=2).contains(&names("fair/takd/")), "{trained:?}");
    let after = weights(&workspace);
    assert!(before.iter().all(|file| after.contains(file)));
    // Another table that comes to the same points trains none of them again.
    let other = text("trials = 6\nstartup = 3\nbatch = 2").replace("search.fair", "search.other");
    workspace.write("tiny.toml", other.replace("fair/*", "other/*"));
    assert_eq!(workspace.trained(&["tiny.toml"]), [""; 0]);
}

#[test]
fn rounds_read_their_data_once() {
    let workspace = with(&text("trials = 6\nstartup = 2\nbatch = 1"));
    let output =
        workspace.command(&["run", "tiny.toml"]).env("RUST_LOG", "debug").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let (rounds, reads) =
        (told.matches("search fair: ").count(), told.matches("runner: read Idx").count());
    assert!(rounds >= 5 && reads == 1, "{reads} reads in {rounds} rounds: {told}");
}

#[test]
fn neither_jobs_nor_a_kill_change_a_trial() {
    let text = text("trials = 6\nstartup = 2\nbatch = 2\nrungs = [1, 2]");
    let quiet = with(&text);
    let table = quiet.ok(&["run", "tiny.toml", "--jobs", "1"]);
    let busy = with(&text);
    assert_eq!(busy.ok(&["run", "tiny.toml", "--jobs", "4"]), table);
    assert!(weights(&busy) == weights(&quiet));
    // Killed again and again, at other places each time.
    let killed = with(&text);
    for delay in [120, 200, 280, 360, 440, 520] {
        let mut child = crate::running::Running::new(&mut killed.command(&["run", "tiny.toml"]));
        std::thread::sleep(std::time::Duration::from_millis(delay));
        child.kill().unwrap();
    }
    assert_eq!(killed.ok(&["run", "tiny.toml"]), table);
    assert!(weights(&killed) == weights(&quiet));
}

#[test]
fn gc_keeps_what_a_search_has_come_to() {
    let workspace = with(&text("trials = 6\nstartup = 2\nbatch = 2\nrungs = [1, 2]"));
    let table = workspace.ok(&["run", "tiny.toml"]);
    let gone = workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]);
    assert!(gone.contains("in 0 folders"), "{gone}");
    let again = workspace.takd(&["run", "tiny.toml"]);
    assert!(again.stderr.contains("trained 0, measured 0"), "{}", again.stderr);
    assert_eq!(again.stdout, table);
}

#[test]
fn finalists_are_what_trained_through() {
    let more = "trials = 4\nsampler = \"sobol\"";
    let through = with(&text(more));
    through.ok(&["run", "tiny.toml"]);
    let halved = with(&text(&format!("{more}\nrungs = [1, 2]")));
    let output = halved.takd(&["run", "tiny.toml", "--jobs", "1"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for note in ["continues after epoch 1 of 2", "resuming after epoch 2 of 4"] {
        assert!(output.stderr.contains(note), "{}", output.stderr);
    }
    let (through, halved) = (weights(&through), weights(&halved));
    let same = halved.iter().filter(|file| through.contains(file)).count();
    // A teacher and an assistant for three seeds, NoKD and BLKD for two, a finalist and a winner of each
    // method.
    assert_eq!(same, 6 + 4 + 2 + 4, "of {}", halved.len());
}

#[test]
fn a_trial_that_diverges_is_the_worst_and_is_named() {
    let text = text("trials = 3\nsampler = \"grid\"")
        .replace("{ from = 0.01, to = 0.2, log = true }", "[0.05, 1e30, 0.1]");
    let workspace = with(&text);
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("fair/nokd/1@32: failed"), "{}", output.stderr);
    assert!(output.stdout.contains("fair/nokd/1 failed"), "{}", output.stdout);
    let again = workspace.takd(&["run", "tiny.toml"]);
    assert!(
        again.stderr.contains("trained 0, measured 0"),
        "it is not tried again: {}",
        again.stderr
    );
    assert_eq!(again.stdout, output.stdout);
}

#[test]
fn conditions_and_whole_tables_vary() {
    let space = "[search.fair.space.nokd]\n\
        \"recipe.optimizer\" = [{ sgd = { lr = 0.05 } }, { adam = { lr = 0.01 } }]\n\
        \"recipe.optimizer.sgd.momentum\" = { values = [0.0, 0.9], when = { \
        \"recipe.optimizer\" = { sgd = { lr = 0.05 } } } }\n";
    let text = format!("{PIPELINE}\n[search.fair]\ntrials = 9\nsampler = \"grid\"\n{space}");
    let workspace = with(&text);
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    let trials = plan.lines().filter(|line| line.contains(" train    fair/nokd/")).count();
    assert_eq!(trials, 3, "{plan}");
    workspace.ok(&["run", "tiny.toml", "fair/nokd"]);
}

#[test]
fn test_images_choose_under_the_published_codes_preset_alone() {
    let text = text("trials = 2\nstartup = 1\nsplit = \"test\"");
    let workspace = with(&text);
    let refusal = workspace.refusal();
    assert!(refusal.contains("chooses by what it is judged by"), "{refusal}");
    let honest = text.replace("\nsplit = \"test\"\n[", "\n[");
    assert_ne!(honest, text);
    workspace
        .write("tiny.toml", honest + "[preset.as-published-code.search.fair]\nsplit = \"test\"\n");
    let output = workspace.takd(&["run", "tiny.toml", "--preset", "as-published-code"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains('†'), "{}", output.stdout);
    assert!(!workspace.ok(&["run", "tiny.toml"]).contains('†'));
}

#[test]
fn a_budget_in_epochs_is_one_in_trials() {
    let plan = |more: &str| {
        let workspace = with(&text(more));
        workspace.ok(&["run", "tiny.toml"]);
        workspace.ok(&["plan", "tiny.toml"])
    };
    assert_eq!(plan("epochs = 24\nstartup = 2"), plan("trials = 6\nstartup = 2"));
}

#[test]
fn one_held_out_part_picks_epochs_and_another_scores() {
    let picks = text("trials = 2\nstartup = 1")
        .replace("select = \"last\"", "select = \"best-validation\"");
    let output = with(&picks).ok(&["run", "tiny.toml"]);
    assert!(output.contains("on the validation split, which also picked the epochs"), "{output}");
    let apart = picks.replace("validation = 12", "validation = 12\nscoring = 9");
    let workspace = with(&apart);
    let output = workspace.ok(&["run", "tiny.toml"]);
    assert!(output.contains("by accuracy on the scoring split, seed 32"), "{output}");
    let why = workspace.ok(&["plan", "tiny.toml"]);
    assert!(why.contains("score.scoring/fair/nokd/0@32"), "{why}");
    // Nothing of it at 0 is hashed.
    let same = with(&picks.replace("validation = 12", "validation = 12\nscoring = 0"));
    let keys = |workspace: &Workspace| workspace.ok(&["plan", "tiny.toml"]);
    assert_eq!(keys(&same), keys(&with(&picks)));
    let all = apart.replace("scoring = 9", "scoring = 60");
    let refusal = with(&all).refusal();
    assert!(refusal.contains("72 of 72 training images leave none"), "{refusal}");
}

#[test]
fn a_thousand_trials_are_planned() {
    let text = text("trials = 1000\nsampler = \"random\"");
    let plan = with(&text).ok(&["plan", "tiny.toml", "fair/*"]);
    // Trials that come to one point are one line.
    let lines = plan.lines().filter(|line| line.contains("train    fair/nokd/"));
    let trials: usize = lines.map(|line| line.matches("fair/nokd/").count()).sum();
    assert_eq!(trials, 1000);
}

#[test]
fn what_cannot_be_searched_is_told() {
    let good = text("trials = 4");
    for (from, to, told) in [
        ("objective.kd.temperature", "objective.kd.temprature", "unknown key `temprature`"),
        ("[1, 2, 5, 10]", "[1, -2]", "expected a temperature"),
        ("[1, 2, 5, 10]", "[]", "has no values to try"),
        ("[1, 2, 5, 10]", "[1, 2, 1.0]", "`1` stands there twice"),
        ("objective.kd.temperature", "on_collapse", "is not a hashed field"),
        ("trials = 4", "trials = 0", "in 1..=10000"),
        ("trials = 4", "", "needs `trials` or `epochs`"),
        ("trials = 4", "trials = 4\nepochs = 9", "exclude one another"),
        ("trials = 4", "epochs = 5", "its assistants alone train for 4"),
        ("trials = 4", "trials = 4\nsampler = \"grid\"", "a grid cannot cover"),
        ("trials = 4", "trials = 4\nseeds = [20]", "is one of the pipeline's"),
        ("trials = 4", "trials = 4\nstop = { median = {} }", "needs `rungs`"),
        ("trials = 4", "trials = 4\nrungs = [9]", "trains for 4 epochs"),
        ("trials = 4", "trials = 4\nmetric = \"entropy\"", "unknown word `entropy`"),
        ("space.takd", "space.tadk", "did you mean `takd`?"),
        ("from = 0.01, to", "from = 0.3, to", "expected a number above `from`"),
        ("from = 0.01, to", "from = 0.0, to", "must be above 0"),
        ("from = 0.01, to", "from = -0.1, to", "must be above 0"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let refusal = with(&bad).refusal();
        assert!(refusal.contains(told) && refusal.contains("-->"), "{to}: {refusal}");
    }
}
