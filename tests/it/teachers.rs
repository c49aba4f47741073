//! Students of several teachers: ensembles and dense chains.

use crate::{
    keys::parse_with,
    resume::{checkpoints, wait_for_checkpoint},
    running::Running,
    tiny,
    workspace::{PIPELINE, Workspace},
};
use std::process::Stdio;
use takd::dataset::{DataInfo, Format};

/// `PIPELINE` with one seed and with `[distill.takd]` as it is given.
fn with(takd: &str) -> Workspace {
    let workspace = Workspace::new();
    write(&workspace, takd);
    workspace
}

fn write(workspace: &Workspace, takd: &str) {
    let (before, rest) = PIPELINE.split_once("[distill.takd]").unwrap();
    let (_, after) = rest.split_once("[eval.test]").unwrap();
    let text = format!("{before}[distill.takd]\nnet = \"small\"\n{takd}\n[eval.test]{after}");
    workspace.write("tiny.toml", text.replace("[20, 31]", "[20]"));
}

const KD: &str = "objective = { kd = { temperature = 5.0, lambda = 0.5 } }";
const DGKD: &str = "teachers = [\"assistant\", \"teacher\"]\n\
    objective = { dgkd = { temperature = 5.0, lambda = 0.5 } }";

fn key(workspace: &Workspace) -> String {
    let result: serde_json::Value =
        serde_json::from_str(&workspace.ok(&["plan", "tiny.toml", "--json"])).unwrap();
    // It may share its step with others of the same configuration.
    let mut steps = result["steps"].as_array().unwrap().iter();
    let has = |step: &&serde_json::Value| {
        step["nodes"].as_array().unwrap().iter().any(|node| node == "takd@20")
    };
    steps.find(has).unwrap()["key"].as_str().unwrap().to_owned()
}

#[test]
fn a_list_of_one_is_that_teacher_and_order_and_weights_count() {
    let one = with(&format!("teacher = \"teacher\"\n{KD}"));
    let keys = [
        "teachers = [\"teacher\"]",
        "teachers = [\"teacher\", \"assistant\"]",
        "teachers = [\"assistant\", \"teacher\"]",
        "teachers = [\"assistant\", \"teacher\"]\nteacher_weights = [1, 2]",
    ];
    let keys = keys.map(|teachers| key(&with(&format!("{teachers}\n{KD}"))));
    assert_eq!(keys[0], key(&one));
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{index}");
    }
}

#[test]
fn ensembles_and_dense_students_train_and_share_logits() {
    for takd in [
        DGKD.to_owned(),
        format!("teachers = [\"assistant\", \"teacher\", \"nokd\"]\n{KD}"),
        format!("teachers = [\"assistant\", \"teacher\"]\nteacher_weights = [0.7, 0.3]\n{KD}"),
    ] {
        let workspace = with(&takd);
        workspace.ok(&["run", "tiny.toml"]);
        let logits = workspace.ok(&["cache", "list"]).matches("logits").count();
        assert_eq!(logits, if takd.contains("nokd") { 3 } else { 2 }, "{takd}");
        let output = workspace.takd(&["run", "tiny.toml"]);
        assert!(output.stderr.contains("trained 0, measured 0"), "{}", output.stderr);
        workspace.ok(&["cache", "gc", "tiny.toml", "--yes"]);
        let kept = workspace.ok(&["cache", "list"]).matches("logits").count();
        assert_eq!(kept, logits, "gc keeps what a student would read");
    }
}

/// A chain in which each student has all that are before it.
#[test]
fn a_dense_chain_has_all_before_it_as_teachers() {
    let workspace = Workspace::new();
    let chain = "[chain.ta]\nnets = [\"large\", \"middle\", \"small\"]\nfrom = \"teacher\"\n\
        dense = true\nobjective = { dgkd = { temperature = 5.0, lambda = 0.5 } }\n";
    workspace.write("tiny.toml", format!("{PIPELINE}{chain}"));
    let run = workspace.run(&["tiny.toml"]);
    let rows = run["tables"][0]["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["label"] == "ta/middle-small"), "{rows:?}");
    let dot = workspace.ok(&["graph", "tiny.toml"]);
    let page = workspace.ok(&["report", "tiny.toml", "--format", "html"]);
    assert!(dot.contains("ta/middle-small") && page.contains("Needs: ta/middle, teacher"), "{dot}");
    // The line from the teacher past its assistant is drawn after the boxes, not behind them.
    let (boxes, far) = (page.rfind("class=\"box\"").unwrap(), page.find("class=\"edge far\""));
    assert!(page.matches("class=\"edge far\"").count() == 1 && far.unwrap() > boxes);
}

#[test]
fn a_student_of_several_resumes_to_the_same_bits_after_a_kill() {
    let args = "run tiny.toml takd --set recipe.short.epochs=80 --checkpoint-every 0";
    let args: Vec<&str> = args.split(' ').collect();
    for takd in [DGKD.to_owned(), format!("teachers = [\"assistant\", \"teacher\"]\n{KD}")] {
        let (whole, killed) = (with(&takd), with(&takd));
        whole.ok(&args);
        killed.ok(&[&["run", "tiny.toml", "assistant"], &args[3..]].concat());
        for _ in 0..2 {
            let mut command = killed.command(&args);
            let mut child = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
            wait_for_checkpoint(&killed, &mut child);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        killed.ok(&args);
        assert!(whole.entry_files("cache") == killed.entry_files("cache"), "{takd}");
        assert!(checkpoints(&killed).is_empty());
    }
}

/// Augmented images are new ones at each step: both teachers are asked themselves.
#[test]
fn augmented_images_are_shown_to_every_teacher() {
    let workspace = with(DGKD);
    let set = "recipe.short.augment=[\"flip\"]";
    workspace.ok(&["run", "tiny.toml", "--set", set]);
    assert_eq!(workspace.ok(&["cache", "list"]).matches("logits").count(), 0);
}

#[test]
fn one_class_is_nothing_to_distil() {
    let probe = |_: &Format| Ok(DataInfo { classes: 1, ..tiny::info() });
    let text = PIPELINE.replace("fc3", "fc1");
    let wrong = parse_with(&text, &probe).err().unwrap();
    let told = wrong.list().iter().filter(|problem| problem.message.contains("has one class"));
    assert_eq!(told.count(), 3, "{wrong}");
}

#[test]
fn teachers_that_cannot_be_are_told_with_carets() {
    let mut told = String::new();
    let dgkd = "objective = { dgkd = { temperature = 5.0, lambda = 0.5 } }";
    for takd in [
        KD.to_owned(),
        format!("teacher = \"teacher\"\nteachers = [\"assistant\"]\n{KD}"),
        format!("teachers = []\n{KD}"),
        format!("teachers = [\"teacher\", \"teacher\"]\n{KD}"),
        format!("teachers = [\"teacher\", \"asistant\"]\n{KD}"),
        format!("teachers = [\"teacher\", \"assistant\"]\nteacher_weights = [1]\n{KD}"),
        format!("teachers = [\"teacher\", \"assistant\"]\nteacher_weights = [0, 0]\n{KD}"),
        format!("teacher = \"teacher\"\n{dgkd}"),
        format!("{DGKD}\nteacher_weights = [1, 2]"),
        format!("teachers = [\"teacher\", \"takd\"]\n{KD}"),
        format!(
            "teacher = \"teacher\"\n{KD}\n[chain.ta]\nnets = [\"large\", \"small\"]\n\
             from = \"teacher\"\ndense = true\n{KD}\n"
        ),
        format!(
            "teacher = \"teacher\"\n{KD}\n[chain.ta]\nnets = [\"large\", \"middle\", \"small\"]\n\
             from = \"teacher\"\n{dgkd}\n"
        ),
    ] {
        told += &with(&takd).refusal();
    }
    insta::assert_snapshot!(told);
}
