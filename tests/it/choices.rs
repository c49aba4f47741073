//! Choices: each rule trains what it needs, and its name means the chosen node.

use crate::workspace::{PIPELINE, Workspace};
use takd::{architecture::Architecture, kinds::Kinds, shape::Shape};

const CHAIN: &str = r#"
[chain.ta]
from      = "teacher"
nets      = ["large", "big", "middle", "small"]
paths     = "all"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[net.big]
layers = ["conv5", "maxpool", "fc3"]
"#;

/// A choice with `rule`, which is measured, and a chain of two assistants to choose from.
fn with(rule: &str) -> Workspace {
    let measured = PIPELINE.replace("of    = [\"*\"]", "of = [\"teacher\", \"best\"]");
    let (before, _) = measured.split_once("[distill.blkd]").unwrap();
    let (_, after) = measured.split_once("[eval.test]").unwrap();
    let choose = format!("[choose.best]\nfrom = [\"ta/*\"]\n{rule}\n");
    let workspace = Workspace::new();
    workspace.write("tiny.toml", format!("{before}{CHAIN}{choose}[eval.test]{after}"));
    workspace
}

/// How many networks of the chain it has trained with seed 20.
fn trained(workspace: &Workspace) -> usize {
    let trained = workspace.trained(&["tiny.toml"]);
    trained.iter().filter(|name| name.starts_with("ta/") && name.ends_with("@20")).count()
}

#[test]
fn the_best_student_needs_all_paths() {
    let workspace = with("rule = \"best-student\"");
    // Two assistants taught by the teacher, one by the other, and four students.
    assert_eq!(trained(&workspace), 7);
    let table = workspace.ok(&["run", "tiny.toml"]);
    assert!(table.contains("choice best (best-student"), "{table}");
    assert_eq!(workspace.ok(&["report", "tiny.toml"]), table);
}

#[test]
fn the_mean_rule_trains_the_chosen_student_alone() {
    let workspace = with("rule = \"mean-rule\"\nstudent = \"nokd\"");
    let text = std::fs::read_to_string(workspace.path("tiny.toml")).unwrap();
    let paths = "paths = [[\"large\", \"big\", \"small\"], [\"large\", \"middle\", \"small\"]]";
    let two = text.replace("paths     = \"all\"", paths);
    assert_ne!(two, text);
    let refusal = workspace.refusal();
    assert!(refusal.contains("has more than one assistant"), "{refusal}");
    workspace.write("tiny.toml", two);
    assert_eq!(trained(&workspace), 3, "two assistants and one student");
}

#[test]
fn halving_trains_two_students_whole() {
    let workspace = with("rule = \"halving\"\nepochs = 1");
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("choice best (halving"), "{}", output.stdout);
    assert!(output.stderr.contains("@1@20: done"), "{}", output.stderr);
}

#[test]
fn dynamic_programming_leaves_paths_out() {
    let workspace = with("rule = \"dp\"");
    let text = std::fs::read_to_string(workspace.path("tiny.toml")).unwrap();
    let three = text.replace("\"big\", \"middle\"", "\"big\", \"fair\", \"middle\"");
    let net = "[net.fair]\nlayers = [\"conv4\", \"maxpool\", \"fc4\", \"fc3\"]\n";
    workspace.write("tiny.toml", three + net);
    // Seven assistants and eight students on all paths; of three paths to the smallest assistant with one
    // before it only the better is followed.
    let made = trained(&workspace);
    assert!(made == 14, "{made}");
    assert!(workspace.ok(&["run", "tiny.toml"]).contains("choice best (dp"));
}

#[test]
fn a_budget_leaves_out_what_is_too_large() {
    let refusal = with("rule = \"budget\"").refusal();
    assert!(refusal.contains("a budget is one of `seconds`, `parameters`"), "{refusal}");
    let refusal = with("rule = \"budget\"\nlatency = 3").refusal();
    assert!(refusal.contains("would depend on the machine") && refusal.contains("tiny.toml:"));
    assert!(!refusal.contains("a budget is one of") && !refusal.contains("unknown"), "{refusal}");
    let workspace = with("rule = \"budget\"\nmultiply_adds = 10");
    let output = workspace.takd(&["run", "tiny.toml"]);
    assert!(output.stdout.contains("no candidate"), "{}", output.stdout);
    let workspace = with("rule = \"budget\"\nmultiply_adds = 1e9");
    assert_eq!(trained(&workspace), 7);
    let workspace = with("rule = \"budget\"\nseconds = 1e6");
    assert_eq!(trained(&workspace), 7);
    // The student's 2 · 9 + 2 weights and biases, its norm's 2 · 2, and 32 · 3 + 3; one less is too few.
    let layers = ["conv2", "maxpool", "fc3"].map(str::to_owned);
    let image = Shape { channels: 1, height: 8, width: 8 };
    let student = Architecture::read(&layers, image, 3, &Kinds::default()).unwrap();
    let (size, size_int8) = (student.size(), student.size_int8().unwrap());
    for (key, just) in [("parameters", 123), ("size", size), ("size_int8", size_int8)] {
        for (limit, count) in [(just, 7), (just - 1, 0)] {
            let workspace = with(&format!("rule = \"budget\"\n{key} = {limit}"));
            assert_eq!(trained(&workspace), count, "{key} = {limit}");
        }
    }
}

#[test]
fn what_is_chosen_can_teach() {
    let workspace = with("rule = \"best-student\"");
    let text = std::fs::read_to_string(workspace.path("tiny.toml")).unwrap();
    let more = "\n[distill.after]\nnet = \"small\"\nteacher = \"best\"\n\
                objective = { kd = { temperature = 5.0, lambda = 0.5 } }\n";
    workspace.write("tiny.toml", text + more);
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    assert!(!plan.contains("after"), "it waits for the choice: {plan}");
    let trained = workspace.trained(&["tiny.toml"]);
    assert!(trained.iter().any(|name| name == "after@20"), "{trained:?}");
}

#[test]
fn wrong_seeds_are_told() {
    for seeds in ["[]", "[\"a\"]", "7", "[31, 31]", "[32]"] {
        let choice = with(&format!("rule = \"best-student\"\nseeds = {seeds}"));
        assert!(choice.refusal().contains("seed"), "{seeds}");
    }
    let choice = with("rule = \"best-student\"");
    let text = std::fs::read_to_string(choice.path("tiny.toml")).unwrap();
    for seeds in ["[]", "[\"a\"]", "7"] {
        choice.write("tiny.toml", text.replace("seeds = [20, 31]", &format!("seeds = {seeds}")));
        assert!(choice.refusal().contains("seed"), "{seeds}");
    }
}

#[test]
fn what_cannot_be_chosen_is_told() {
    for (rule, told) in [
        ("rule = \"best\"", "unknown word `best`"),
        ("rule = \"mean-rule\"", "the mean rule needs `student`"),
        ("rule = \"dp\"\nstudent = \"nokd\"", "`student` belongs to rule = \"mean-rule\""),
        ("rule = \"dp\"\nseeds = [7]", "seed 7 is none of the pipeline's"),
        ("rule = \"dp\"\nsplit = \"test\"", "chooses by what it is judged by"),
        ("rule = \"mean-rule\"\nstudent = \"nodk\"", "did you mean `nokd`?"),
    ] {
        let refusal = with(rule).refusal();
        assert!(refusal.contains(told) && refusal.contains("-->"), "{rule}: {refusal}");
    }
    let workspace = with("rule = \"dp\"");
    let text = std::fs::read_to_string(workspace.path("tiny.toml")).unwrap();
    for (from, told) in [
        ("[]", "there is nothing to choose from"),
        ("[\"at/*\"]", "there is no candidate"),
        ("[\"nokdd\"]", "did you mean `nokd`?"),
        ("[\"nokd\", \"teacher\"]", "candidates are one student"),
    ] {
        workspace.write("tiny.toml", text.replace("[\"ta/*\"]", from));
        let refusal = workspace.refusal();
        assert!(refusal.contains(told) && refusal.contains("-->"), "{from}: {refusal}");
    }
}
