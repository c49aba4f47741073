//! Every objective through a pipeline: alone, added to others, killed and resumed.

use crate::{
    resume::{checkpoints, wait_for_checkpoint},
    running::Running,
    workspace::{PIPELINE, Workspace},
};
use std::process::Stdio;
use takd::kinds::Kinds;

/// `PIPELINE` with this objective for the student of the assistant, and one seed.
fn with(objective: &str) -> Workspace {
    let workspace = Workspace::new();
    write(&workspace, objective);
    workspace
}

fn write(workspace: &Workspace, objective: &str) {
    let (before, after) = PIPELINE.split_once("[distill.takd]").unwrap();
    let after = after.replace("{ kd = { temperature = 5.0, lambda = 0.5 } }", objective);
    let text = format!("{before}[distill.takd]{after}").replace("[20, 31]", "[20]");
    workspace.write("tiny.toml", text);
}

/// Of each kind one, small enough a weight that the little student learns.
fn each() -> Vec<String> {
    // `teachers.rs` has what needs several teachers, `features.rs` what compares features.
    let kinds = Kinds::default().distillation;
    let elsewhere = ["dgkd", "at", "sp", "rkd", "fitnet", "fsp", "bss", "dml"];
    let kinds = kinds.iter().filter(|kind| !elsewhere.contains(&kind.name));
    let fields = |name: &str| match name {
        "kd" => "temperature = 5.0, lambda = 0.5, standardize = true",
        "ttm" => "weight = 2.0, weighted = true",
        "mlkd_one_view" => "weight = 0.1",
        "dkd" => "warmup = 30",
        _ => "",
    };
    let mut all: Vec<String> =
        kinds.map(|kind| format!("{{ {} = {{ {} }} }}", kind.name, fields(kind.name))).collect();
    let ramp = "{ from = 2, to = 0.5, epochs = [10, 50] }";
    let kd = "{ kd = { temperature = 4.0, lambda = 0.5 } }";
    all.push(format!("[{kd}, {{ dist = {{}}, weight = {ramp} }}]"));
    all
}

#[test]
fn each_objective_resumes_to_the_same_bits_after_a_kill() {
    resume_to_the_same_bits(&each(), 60, with);
}

/// Trains the student `takd` with each of `all`, killed and resumed, and whole.
pub fn resume_to_the_same_bits(all: &[String], epochs: usize, with: fn(&str) -> Workspace) {
    let epochs = format!("recipe.short.epochs={epochs}");
    let args = ["run", "tiny.toml", "takd", "--set", &epochs, "--checkpoint-every", "0"];
    let mut killed_in_time = 0;
    for objective in all {
        let (whole, killed) = (with(objective), with(objective));
        whole.ok(&args);
        let prepare = [&["run", "tiny.toml", "assistant"][..], &args[3..]].concat();
        killed.ok(&prepare);
        let mut command = killed.command(&args);
        let mut child = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
        let in_time = wait_for_checkpoint(&killed, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        killed_in_time += usize::from(in_time && !checkpoints(&killed).is_empty());
        killed.ok(&args);
        assert!(whole.entry_files("cache") == killed.entry_files("cache"), "{objective}");
    }
    assert!(killed_in_time * 2 > all.len(), "{killed_in_time} of {}", all.len());
}

#[test]
fn why_names_the_term_that_changed() {
    let sum = "[{ kd = { temperature = 4.0, lambda = 0.5 } }, { dist = {}, weight = 0.5 }]";
    let workspace = with(sum);
    workspace.ok(&["run", "tiny.toml"]);
    write(&workspace, &sum.replace("lambda = 0.5", "lambda = 0.25"));
    let why = workspace.ok(&["why", "tiny.toml", "takd"]);
    assert!(why.contains("objective.sum.0.kd.lambda: 0.5 → 0.25"), "{why}");
    assert!(why.contains("the weight of the teacher against the labels"), "{why}");
    write(&workspace, &sum.replace("weight = 0.5", "weight = 2"));
    let why = workspace.ok(&["why", "tiny.toml", "takd"]);
    assert!(why.contains("objective.sum.1.weight: 0.5 → 2.0"), "{why}");
    let ramp = "weight = { from = 0.5, to = 0, epochs = [1, 2] }";
    write(&workspace, &sum.replace("weight = 0.5", ramp));
    let why = workspace.ok(&["why", "tiny.toml", "takd"]);
    assert!(why.contains("objective.sum.1.weight.epochs: nothing → [1,2]"), "{why}");
    // Defaults that are written out are the same artifact, and so is a list of one.
    write(&workspace, &sum.replace("dist = {}", "dist = { beta = 1, temperature = 1.0 }"));
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("nothing to run") || !plan.contains("distill takd"), "{plan}");
    write(&workspace, "{ kd = { temperature = 5.0, lambda = 0.5 } }");
    workspace.ok(&["run", "tiny.toml"]);
    write(&workspace, "[{ kd = { temperature = 5.0, lambda = 0.5 }, weight = 1 }]");
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert!(output.stderr.contains("trained 0, measured 0"), "{}", output.stderr);
}

#[test]
fn lists_that_cannot_be_are_told_with_carets() {
    let mut told = String::new();
    for objective in [
        "[]",
        "[{ kd = { temperature = 4.0, lambda = 0.5 }, weight = 0 }]",
        "[{ kd = { temperature = 4.0, lambda = 0.5 }, weight = -1 }, { dits = {} }]",
        "[{ weight = 2 }]",
        "[{ nkd = {}, weight = { from = 1, to = -1, epochs = [3, 2] } }]",
        "[{ nkd = {}, weight = { from = 1, until = 2 } }]",
        "[\"kd\"]",
        "{ dkd = { beta = -1 } }",
        "{ dist = { temperature = 0 } }",
        "{ nkd = { standardise = true } }",
    ] {
        told += &with(objective).refusal();
    }
    insta::assert_snapshot!(told);
}
