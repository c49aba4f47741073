//! A training that goes wrong says why, keeps no entry, and fails only what depends on it.

use crate::workspace::{PIPELINE, Workspace};
use takd::node::WEIGHTS;

/// The assistant has a recipe or network of its own, the rest are as ever.
fn with(recipe: &str, net: &str) -> Workspace {
    let workspace = Workspace::new();
    let text = PIPELINE
        .replace("[20, 31]", "[20]")
        .replace("[distill.assistant]", "[distill.assistant]\nrecipe = \"own\"")
        .replace("net       = \"middle\"", &format!("net = {net:?}"));
    workspace.write("tiny.toml", format!("{text}[recipe.own]\n{recipe}"));
    workspace
}

/// Runs to the end, and checks that only the assistant's branch is missing; what its failure says.
fn failure(workspace: &Workspace) -> String {
    let output = workspace.takd(&["run", "tiny.toml", "--keep-going", "--json"]);
    assert_eq!(output.code, 1, "{output:?}");
    let result: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let mut error = None;
    for step in result["steps"].as_array().unwrap() {
        let (name, status) = (step["nodes"][0].as_str().unwrap(), step["status"].as_str().unwrap());
        let want = match name {
            "assistant@20" => "failed",
            "takd@20" | "test/assistant@20" | "test/takd@20" => "blocked",
            _ => "done",
        };
        assert_eq!(status, want, "{name}");
        error = error.or(step["error"].as_str().map(str::to_owned));
    }
    // Three networks and their measurements, and the teacher's logits; nothing of what failed.
    assert_eq!(workspace.ok(&["cache", "verify"]), "7 whole, 0 damaged\n");
    assert!(crate::resume::checkpoints(workspace).is_empty());
    // To run again would fail again.
    let report = workspace.ok(&["report", "tiny.toml"]);
    assert!(
        report.contains("\n2 results missing after a failure: see `takd status`\n"),
        "{report}"
    );
    assert!(!report.contains("`takd run` makes"), "{report}");
    error.unwrap()
}

/// What was not reached can still be made; what has failed is something else.
#[test]
fn a_run_that_ends_at_a_failure_tells_the_failed_from_the_rest() {
    let workspace =
        with("epochs = 2\nbatch_size = 16\noptimizer = { sgd = { lr = 1e30 } }\n", "middle");
    let output = workspace.takd(&["run", "tiny.toml", "--jobs", "1"]);
    assert_eq!(output.code, 1, "{output:?}");
    let missing: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.contains("missing") || line.contains("not in"))
        .collect();
    assert_eq!(
        missing,
        [
            "3 results not in the cache: `takd run` makes them",
            "2 results missing after a failure: see `takd status`"
        ]
    );
    let status = workspace.ok(&["status", "tiny.toml"]);
    assert!(status.contains("failed distill assistant@20"), "{status}");
}

#[test]
fn a_loss_that_leaves_the_numbers() {
    let recipe = "epochs = 2\nbatch_size = 16\noptimizer = { sgd = { lr = 1e30 } }\n";
    let error = failure(&with(recipe, "middle"));
    assert!(
        error.starts_with("the loss became NaN in epoch 1, step 2, at learning rate 1e30 (last")
    );
}

#[test]
fn weights_that_leave_the_numbers_in_the_very_last_step() {
    // One step: its loss is finite, and no other one sees what its update did.
    let recipe = "epochs = 1\nbatch_size = 100\noptimizer = { sgd = { lr = 1e39 } }\n";
    let error = failure(&with(recipe, "middle"));
    assert!(error.starts_with("after epoch 1, at learning rate 1e39, `conv"), "{error}");
    assert!(error.contains("is not finite (last finite loss: "), "{error}");
}

#[test]
fn a_network_that_no_memory_holds() {
    let recipe = "epochs = 1\nbatch_size = 16\noptimizer = { sgd = { lr = 0.1 } }\n";
    let workspace = with(recipe, "giant");
    let text = std::fs::read_to_string(workspace.path("tiny.toml")).unwrap();
    let giant = "[net.giant]\nlayers = [\"conv65536\", \"conv65536\", \"conv65536\", \"fc65536\", \"fc3\"]\n";
    workspace.write("tiny.toml", format!("{text}{giant}"));
    let error = failure(&workspace);
    assert!(error.starts_with("it needs at least "), "{error}");
    assert!(error.contains("GiB of memory, and this machine has"), "{error}");
}

/// The network `nokd@20` as a file, with its last value of the tensor `name` replaced.
fn exported(workspace: &Workspace, name: &str, value: f32) {
    workspace.run(&["tiny.toml", "nokd@20"]);
    workspace.ok(&["export", "tiny.toml", "nokd@20", "-o", WEIGHTS]);
    let mut bytes = std::fs::read(workspace.path(WEIGHTS)).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap().data();
    let end = tensor.as_ptr() as usize - bytes.as_ptr() as usize + tensor.len();
    bytes[end - 4..end].copy_from_slice(&value.to_le_bytes());
    workspace.write(WEIGHTS, bytes);
    let text = PIPELINE.replace(
        "[train.nokd]\nnet    = \"small\"\ndata   = \"bars\"\nrecipe = \"short\"",
        &format!("[train.nokd]\nnet = \"small\"\ndata = \"bars\"\nweights = {WEIGHTS:?}"),
    );
    let student = "[distill.blkd]\nrecipe = \"short\"\nteacher = \"nokd\"";
    let text = text.replace("[distill.blkd]", student);
    let text = text.replace(
        "teacher   = \"teacher\"\nobjective = { kd = { temperature = 5.0",
        "objective = { kd = { temperature = 5.0",
    );
    workspace.write("imported.toml", text);
}

#[test]
fn imported_weights_that_are_no_numbers_are_refused_by_name() {
    for value in [f32::NAN, f32::INFINITY] {
        let workspace = Workspace::new();
        exported(&workspace, "fc_layers.0.bias", value);
        for _ in 0..2 {
            let output = workspace.takd(&["run", "imported.toml", "test/nokd@20"]);
            assert_eq!(output.code, 1, "{output:?}");
            let problem = format!("{WEIGHTS}: `fc_layers.0.bias` holds NaN or infinite values");
            assert!(output.stderr.contains(&problem), "{output:?}");
            assert!(workspace.ok(&["cache", "verify"]).ends_with("1 whole, 0 damaged\n"));
        }
    }
}

/// Weights that are numbers, and logits that are none: no measurement and no teacher.
#[test]
fn logits_that_leave_the_numbers_fail_who_needs_them() {
    let workspace = Workspace::new();
    exported(&workspace, "conv_layers.1.running_var", -1.0);
    for _ in 0..2 {
        let args = ["run", "imported.toml", "test/nokd@20", "blkd@20", "--keep-going"];
        let output = workspace.takd(&args);
        assert_eq!(output.code, 1, "{output:?}");
        for (node, images) in [("eval test/nokd@20 = test/nokd@31", 24), ("distill blkd@20", 60)] {
            let problem = format!(
                "{node}: failed: `nokd@20` gives NaN or infinite logits for {images} of the first \
                 {images} images: "
            );
            assert!(output.stderr.contains(&problem), "{problem}: {output:?}");
        }
        // The network that was exported, and the one that was imported.
        assert!(workspace.ok(&["cache", "verify"]).ends_with("2 whole, 0 damaged\n"));
    }
}

#[test]
fn metrics_that_leave_the_numbers() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", format!("{PIPELINE}temperature = 1e-310\n"));
    for _ in 0..2 {
        let output = workspace.takd(&["run", "tiny.toml", "test/nokd@20"]);
        assert_eq!(output.code, 1, "{output:?}");
        let problem =
            "`entropy_at_temperature` of 24 images is NaN: the temperature 1e-310 is too small";
        assert!(output.stderr.contains(problem), "{output:?}");
        assert!(workspace.ok(&["cache", "verify"]).ends_with("1 whole, 0 damaged\n"));
    }
}

#[test]
fn a_teacher_that_guesses_is_a_warning_in_the_table() {
    let workspace =
        with("epochs = 1\nbatch_size = 16\noptimizer = { sgd = { lr = 1e-30 } }\n", "middle");
    let output = workspace.ok(&["run", "tiny.toml"]);
    let warning =
        "warning: `assistant` is a teacher and is no better than guessing among 3 classes";
    assert_eq!(output.matches("warning: ").count(), output.matches("is a teacher and").count());
    assert!(output.contains(warning), "{output}");
    for format in ["md", "latex"] {
        let report = workspace.ok(&["report", "tiny.toml", "--format", format]);
        assert!(report.contains("no better than guessing among 3 classes"), "{report}");
    }
}
