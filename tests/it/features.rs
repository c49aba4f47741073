//! Objectives on features through a pipeline: kept or asked for, killed and resumed, refused.

use crate::{
    objectives::resume_to_the_same_bits,
    workspace::{PIPELINE, Workspace},
};

/// Residual networks of three sizes, and `[distill.takd]` with this objective.
fn text(objective: &str) -> String {
    let (before, rest) = PIPELINE.split_once("[net.large]").unwrap();
    let (_, nodes) = rest.split_once("[train.teacher]").unwrap();
    let nets = "[net.large]\nlayers = [\"stem4\", \"basic4\", \"basic4\", \"basic8/2\", \"avgpool\", \"fc3\"]\n\
        [net.middle]\nlayers = [\"stem4\", \"basic4\", \"basic8/2\", \"avgpool\", \"fc3\"]\n\
        [net.small]\nlayers = [\"stem4\", \"basic4\", \"basic8/2\", \"avgpool\", \"fc3\"]\n";
    let (first, last) = nodes.split_once("[distill.takd]").unwrap();
    let last = last.replace("{ kd = { temperature = 5.0, lambda = 0.5 } }", objective);
    format!("{before}{nets}[train.teacher]{first}[distill.takd]{last}").replace("[20, 31]", "[20]")
}

fn with(objective: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", text(objective));
    workspace
}

/// Each kind on features, and a sum of them with what learns from logits.
fn each() -> Vec<String> {
    let kinds = [
        "{ at = { weight = 10 } }",
        "{ sp = { weight = 10 } }",
        "{ rkd = { distance = 1, angle = 2 } }",
        "{ fitnet = { first = 3, weight = 1 } }",
        "{ fsp = { weight = 1 } }",
        "{ bss = { epochs = 8, steps = 3 } }",
        "[{ ctkd = {} }, { fitnet = { ce = 0, weight = 0.1 }, weight = 0.5 }, { at = { ce = 0, weight = 1 } }]",
    ];
    kinds.map(str::to_owned).to_vec()
}

#[test]
fn each_resumes_to_the_same_bits_after_a_kill() {
    resume_to_the_same_bits(&each(), 20, with);
}

/// Features of images that never change are kept; of augmented ones a teacher is asked anew.
#[test]
fn features_are_kept_or_asked_for() {
    let objective =
        "[{ at = { weight = 10 } }, { sp = { ce = 0, weight = 10 } }, { rkd = { ce = 0 } }]";
    let workspace = with(objective);
    let epochs = "epochs     = 2";
    workspace.write(
        "flip.toml",
        text(objective).replace(epochs, &format!("{epochs}\naugment = [\"flip\"]")),
    );
    let plan = workspace.ok(&["plan", "tiny.toml"]);
    assert!(plan.contains("1 student keeps its teacher's features in memory"), "{plan}");
    let plan = workspace.ok(&["plan", "flip.toml"]);
    assert!(plan.contains("asks its teacher at each step for features"), "{plan}");
    workspace.ok(&["run", "tiny.toml"]);
    workspace.ok(&["run", "flip.toml"]);
    // No student of features reads stored logits.
    let list = workspace.ok(&["cache", "list"]);
    assert_eq!(list.matches("logits").count(), 1, "{list}");
}

#[test]
fn a_trained_temperature_is_in_the_history_and_a_projection_in_no_student() {
    let workspace = with("[{ ctkd = {} }, { fitnet = { ce = 0, weight = 0.1 } }]");
    workspace.ok(&["run", "tiny.toml"]);
    let files = workspace.entry_files("cache");
    let text = |name: &str| {
        let all = files.iter().filter(|(path, _)| path.ends_with(name));
        all.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect::<Vec<_>>()
    };
    assert!(text("metrics.jsonl").iter().any(|history| history.contains("\"temperature\":15.")));
    assert!(text("weights.safetensors").iter().all(|weights| !weights.contains("objective.")));
}

#[test]
fn what_cannot_be_compared_is_told_with_carets() {
    let mut told = String::new();
    let plain = |layers: &str| {
        let text = text("{ at = {} }");
        let (before, after) = text.split_once("[net.small]").unwrap();
        let (_, after) = after.split_once("[train.teacher]").unwrap();
        format!("{before}[net.small]\nlayers = {layers}\n[train.teacher]{after}")
    };
    let several = "teachers  = [\"assistant\", \"teacher\"]";
    for text in [
        // No stage at all, and no such stage.
        plain("[\"fc8\", \"fc3\"]"),
        text("{ fitnet = { stage = 3 } }"),
        // Other channels than the teacher's, and other taps.
        plain("[\"stem4\", \"basic6\", \"basic8/2\", \"avgpool\", \"fc3\"]")
            .replace("{ at = {} }", "{ fsp = {} }"),
        plain("[\"conv4\", \"maxpool\", \"fc3\"]").replace("{ at = {} }", "{ fsp = {} }"),
        // A hint on more rows and columns than the student has.
        plain("[\"conv4\", \"maxpool\", \"conv4\", \"maxpool\", \"fc3\"]")
            .replace("{ at = {} }", "{ fitnet = {} }"),
        // The last batch is one image.
        plain("[\"fc8\", \"fc3\"]")
            .replace("{ at = {} }", "{ rkd = {} }")
            .replace("batch_size = 16", "batch_size = 59"),
        text("{ at = {} }").replace("teacher   = \"assistant\"", several),
        text("{ bss = {} }").replace("teacher   = \"assistant\"", several),
        text("{ bss = {} }\nlogits = { keep = \"f16\" }"),
        text("{ fitnet = { stage = 0 } }"),
    ] {
        let workspace = Workspace::new();
        workspace.write("tiny.toml", &text);
        told += &workspace.refusal();
    }
    insta::assert_snapshot!(told);
}
