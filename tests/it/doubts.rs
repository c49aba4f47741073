//! What is legal, and surely not meant, is told and runs.

use crate::workspace::{PIPELINE, Workspace};

#[test]
fn mistakes_that_are_legal_are_told() {
    let workspace = Workspace::new();
    let quiet = workspace.takd(&["check", "tiny.toml"]);
    assert!(!quiet.stderr.contains("warning"), "{}", quiet.stderr);
    let steps = "nesterov = true } }\nschedule   = { step = { milestones = [1, 9] } }";
    let wrong = PIPELINE
        .replacen("lambda = 0.5", "lambda = 0.0", 1)
        .replace("temperature = 4.0", "temperature = 60.0")
        .replace("nesterov = true } }", steps)
        .replace("net    = \"large\"", "net    = \"small\"");
    workspace.write("tiny.toml", wrong);
    let told = [
        "warning: `blkd`: the teacher's term weighs 0: nothing is learned from it",
        "warning: `assistant`: at a temperature of 60 all classes look alike to a softmax",
        "warning: `teacher`, `nokd`, `blkd` and 2 more: the milestone 9 never comes: it trains for 2 epochs",
        "warning: `assistant`: `middle` learns from `small`, which has fewer parameters (",
    ];
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    for output in [workspace.takd(&["check", "tiny.toml"]), workspace.takd(&["run", "tiny.toml"])] {
        assert_eq!(output.code, 0, "{}", output.stderr);
        for told in told {
            assert!(
                output.stderr.contains(told) && plan.contains(told),
                "{told}: {}",
                output.stderr
            );
        }
    }
}
