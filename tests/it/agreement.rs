//! Students beside their teachers: what an eval measures when it is asked for their agreement.

use crate::workspace::{PIPELINE, Workspace};
use serde_json::Value;

fn metrics<'a>(run: &'a Value, node: &str) -> &'a Value {
    let rows = run["tables"][0]["rows"].as_array().unwrap().iter();
    let mut ours = rows.map(|row| &row["ours"]);
    &ours.find(|ours| ours["node"] == node).unwrap()["seeds"][0]["metrics"]
}

#[test]
fn students_are_measured_beside_their_teachers() {
    let workspace = Workspace::new();
    let plain = workspace.run(&["tiny.toml"]);
    workspace
        .write("beside.toml", PIPELINE.replace("[eval.test]", "[eval.test]\nagreement = true"));
    let output = workspace.takd(&["run", "beside.toml"]);
    // Three students a seed; who has no teacher is measured as before, under the same key.
    assert!(output.stderr.contains("trained 0, measured 6, reused 14, in "), "{}", output.stderr);
    let beside = workspace.run(&["beside.toml"]);
    for node in ["teacher", "nokd"] {
        assert_eq!(metrics(&beside, node), metrics(&plain, node));
        assert_eq!(metrics(&beside, node)["agreement"], Value::Null);
    }
    for node in ["blkd", "assistant", "takd"] {
        let (with, without) = (metrics(&beside, node), metrics(&plain, node));
        assert_eq!(with["top1"], without["top1"]);
        let agreement = with["agreement"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&agreement) && with["teacher_kl"].as_f64().unwrap() >= 0.0);
        // Of images that both get right they agree.
        let teacher = if node == "takd" { "assistant" } else { "teacher" };
        let right = |node| metrics(&beside, node)["top1"].as_f64().unwrap();
        assert!(agreement >= right(node) + right(teacher) - 1.0 - 1e-9, "{node}: {agreement}");
    }
    let why = workspace.ok(&["why", "beside.toml", "test/takd"]);
    assert!(why.contains("takd"), "{why}");
    // The page draws a measurement below the network that it is of, not below its teacher.
    let page = workspace.ok(&["report", "beside.toml", "--format", "html"]);
    assert_eq!(page.matches("data-node=").count(), 10);
    let dot = workspace.ok(&["graph", "beside.toml"]);
    assert!(dot.contains("test/takd"), "{dot}");
}
