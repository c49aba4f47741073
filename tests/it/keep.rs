//! Stored logits of which less is kept: other entries, other keys, nearly the same student.

use crate::workspace::{PIPELINE, Workspace};

/// `PIPELINE` with one seed and this line in `[distill.takd]`.
fn with(line: &str) -> Workspace {
    let (before, after) = PIPELINE.split_once("[distill.takd]").unwrap();
    let text = format!("{before}[distill.takd]\n{line}{after}").replace("[20, 31]", "[20]");
    let workspace = Workspace::new();
    workspace.write("tiny.toml", text);
    workspace
}

fn losses(workspace: &Workspace) -> Vec<f64> {
    let log = workspace.takd(&["run", "tiny.toml", "takd", "--log-format", "json"]);
    assert_eq!(log.code, 0, "{}", log.stderr);
    let events = log.stderr.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mine = events.filter(|event: &serde_json::Value| {
        event["event"] == "epoch" && event["node"] == "takd@20"
    });
    mine.map(|event| event["loss"].as_f64().unwrap()).collect()
}

#[test]
fn half_the_bits_and_the_largest_teach_nearly_the_same() {
    let (all, half) = (with(""), with("logits = { keep = \"f16\" }"));
    let top = with("logits = { keep = \"top\", top = 2 }");
    let (exact, rounded, largest) = (losses(&all), losses(&half), losses(&top));
    let near = |a: &[f64], b: &[f64], bound: f64| {
        a.len() == 2 && a.iter().zip(b).all(|(a, b)| (a - b).abs() < bound)
    };
    assert!(near(&exact, &rounded, 1e-3) && exact != rounded, "{exact:?} {rounded:?}");
    // Of three classes two and the rest are all.
    assert!(near(&exact, &largest, 1e-5), "{exact:?} {largest:?}");
    // What is said at its default is not said.
    let said = with("logits = { keep = \"f32\" }");
    let keys = [&all, &said, &half].map(|workspace| {
        let plan = workspace.ok(&["plan", "tiny.toml", "--json"]);
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let steps = plan["steps"].as_array().unwrap().clone();
        let mine = steps.into_iter().find(|step| step["nodes"][0] == "takd@20").unwrap();
        mine["key"].as_str().unwrap().to_owned()
    });
    assert!(keys[0] == keys[1] && keys[0] != keys[2], "{keys:?}");
    // Both kinds of logits are kept, shown and reused.
    half.ok(&["cache", "verify"]);
    half.ok(&["cache", "gc", "tiny.toml", "--yes"]);
    let again = half.takd(&["run", "tiny.toml", "takd"]);
    assert!(again.stderr.contains("trained 0"), "{}", again.stderr);
}

#[test]
fn what_cannot_be_kept_is_told_with_carets() {
    let mut told = String::new();
    for line in [
        "logits = \"f16\"",
        "logits = { keep = \"f8\" }",
        "logits = { keep = \"top\" }",
        "logits = { keep = \"top\", top = 0 }",
        "logits = { keep = \"f16\", top = 2 }",
        "logits = {}",
    ] {
        told += &with(line).takd(&["check", "tiny.toml"]).stderr;
    }
    let augmented = with("logits = { keep = \"f16\" }");
    let set = ["check", "tiny.toml", "--set", "recipe.short.augment=[\"flip\"]"];
    told += &augmented.takd(&set).stderr;
    insta::assert_snapshot!(told);
}
